//! The grammar that all lists of the package manager's dump share.
//!
//! ```text
//!   Package [name] (hash):             two spaces: an entry
//!     key=value                        four: its fields
//!     some list:                       four, with a colon: a list
//!       item                           six: the list's items
//!     User 0: key=value key=value      four: a user
//!       key=value                      six: a field or list of that user
//!       some list:
//!         item                         eight: its items
//! ```
//!
//! Nothing is interpreted here: a field or list that no version of this program knows is kept like any other.

use std::collections::BTreeMap;

use crate::dump::{At, Leftover};

/// Fields and lists of an entry or of one of its users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// Fields by key; of a repeated key, the first.
    pub fields: BTreeMap<String, At<String>>,
    /// Lists by title, without the colon.
    pub lists: BTreeMap<String, At<Vec<At<String>>>>,
    /// Title of the list that the next deeper line belongs to.
    open: Option<String>,
}

/// A `User N:` line and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserBlock {
    /// User id.
    pub id: u32,
    /// Line of `User N:`.
    pub line: u32,
    /// Its `key=value` words; of a repeated key, the first.
    pub words: BTreeMap<String, String>,
    /// What stands below it.
    pub body: Body,
}

/// One entry of a list: a package, a shared user, a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The name in brackets.
    pub name: String,
    /// Line of the title.
    pub line: u32,
    /// Fields and lists.
    pub body: Body,
    /// Users in the device's order.
    pub users: Vec<UserBlock>,
    /// False if the dump ended within it: what is not there may have been cut off.
    pub complete: bool,
    /// Whether deeper lines belong to the last user.
    in_user: bool,
}

impl Body {
    /// A field's text.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<At<&str>> {
        self.fields.get(key).map(|field| At { value: field.value.as_str(), line: field.line })
    }

    /// A list's items.
    #[must_use]
    pub fn list(&self, title: &str) -> Option<&At<Vec<At<String>>>> {
        self.lists.get(title)
    }

    /// A line that may be a field or the title of a list.
    fn add(&mut self, line: u32, text: &str) -> bool {
        self.open = None;
        // A title ends in its colon; a field such as `lastDisabledCaller: com.example` does not.
        let title = text.strip_suffix(':').or((text == "Packages").then_some(text));
        if let Some(title) = title.filter(|title| !title.contains('=')) {
            self.lists.entry(title.to_owned()).or_insert(At { value: Vec::new(), line });
            self.open = Some(title.to_owned());
            return true;
        }
        let equals = text.find('=');
        let colon = text.find(": ");
        let (key, value) = match (equals, colon) {
            (Some(at), colon) if colon.is_none_or(|colon| at < colon) => {
                (text.get(..at), text.get(at.saturating_add(1)..))
            }
            (_, Some(at)) => (text.get(..at), text.get(at.saturating_add(2)..)),
            _ => return false,
        };
        let (Some(key), Some(value)) = (key, value) else { return false };
        self.field_once(key, value, line);
        true
    }

    fn field_once(&mut self, key: &str, value: &str, line: u32) {
        self.fields.entry(key.trim().to_owned()).or_insert_with(|| At { value: value.trim().to_owned(), line });
    }

    /// An item of the list that is open.
    fn item(&mut self, line: u32, text: &str) -> bool {
        let list = self.open.as_ref().and_then(|title| self.lists.get_mut(title));
        match list {
            Some(list) => {
                list.value.push(At { value: text.to_owned(), line });
                true
            }
            None => false,
        }
    }
}

/// Reads the entries of one section line by line.
#[derive(Debug)]
pub(super) struct Reader {
    /// What titles begin with: `Package`, `SharedUser`, `Permission`.
    word: &'static str,
    blocks: Vec<Block>,
    /// Titles that were not understood: what stands below them belongs to no entry.
    lost: u64,
    in_lost: bool,
}

impl Reader {
    pub(super) fn new(word: &'static str) -> Self {
        Self { word, blocks: Vec::new(), lost: 0, in_lost: false }
    }

    pub(super) fn into_blocks(self) -> Vec<Block> {
        self.blocks
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn last(&mut self) -> Option<&mut Block> {
        self.blocks.last_mut()
    }

    pub(super) fn line(&mut self, line: u32, text: &str, leftover: &mut Leftover) {
        let content = text.trim_start_matches(' ');
        let indent = text.len().saturating_sub(content.len());
        let content = content.trim_end();
        if content.is_empty() {
            return;
        }
        if let Some(name) = (indent == 2).then(|| self.title(content)).flatten() {
            self.in_lost = false;
            self.blocks.push(Block {
                name: name.to_owned(),
                line,
                body: Body::default(),
                users: Vec::new(),
                complete: true,
                in_user: false,
            });
            return;
        }
        if indent <= 2 {
            self.in_lost = true;
            self.lost += 1;
        }
        let understood = match (self.blocks.last_mut().filter(|_| !self.in_lost), indent) {
            (None, _) => false,
            (Some(block), 4) => block.outer(line, content),
            (Some(block), indent) if indent > 4 => match block.users.last_mut().filter(|_| block.in_user) {
                Some(user) if indent == 6 => user.body.add(line, content),
                Some(user) => user.body.item(line, content),
                None => block.body.item(line, content),
            },
            _ => false,
        };
        if !understood {
            leftover.add(line, content);
        }
    }

    /// `Package [name] (hash):`
    fn title<'a>(&self, content: &'a str) -> Option<&'a str> {
        let (name, rest) = content.strip_prefix(self.word)?.strip_prefix(" [")?.split_once(']')?;
        (!name.is_empty() && rest.ends_with(':')).then_some(name)
    }
}

impl Block {
    fn outer(&mut self, line: u32, content: &str) -> bool {
        if let Some((id, words)) = user_line(content) {
            let mut user = UserBlock { id, line, words: BTreeMap::new(), body: Body::default() };
            for (key, value) in words.split_whitespace().filter_map(|word| word.split_once('=')) {
                user.words.entry(key.to_owned()).or_insert_with(|| value.to_owned());
            }
            self.users.push(user);
            self.in_user = true;
            return true;
        }
        self.in_user = false;
        // These lines hold several fields; all other values may hold spaces of their own.
        const SEVERAL: [&str; 2] = ["versionCode=", "installPermissionsFixed="];
        if SEVERAL.iter().any(|start| content.starts_with(start)) {
            self.body.open = None;
            for (key, value) in content.split_whitespace().filter_map(|word| word.split_once('=')) {
                self.body.field_once(key, value, line);
            }
            return true;
        }
        self.body.add(line, content)
    }
}

/// `User 10: key=value ...`
fn user_line(content: &str) -> Option<(u32, &str)> {
    let (id, words) = content.strip_prefix("User ")?.split_once(':')?;
    Some((id.parse().ok()?, words))
}
