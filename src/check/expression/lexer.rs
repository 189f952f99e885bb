//! An expression's text as tokens: the lexical part of CEL's language definition (github.com/google/cel-spec,
//! `doc/langdef.md`), without numbers with a point, unsigned numbers and bytes, which are refused by name.

use std::ops::Range;

/// Why an expression is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Bytes of the expression.
    pub(super) span: Range<usize>,
    /// What is wrong and what was expected, in one line.
    pub(super) message: String,
    /// What may help.
    pub(super) help: Option<String>,
}

impl Refusal {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name; keywords too.
    Name(&'t str),
    /// A number without its sign.
    Number(u64),
    /// A text, its escapes resolved.
    Text(String),
    /// An operator or bracket.
    Mark(&'static str),
    /// Behind the last one.
    End,
}

impl Token<'_> {
    /// What it is, for a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Text(_) => "a text".to_owned(),
            Self::Mark(mark) => format!("`{mark}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Longer ones first.
const MARKS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ",", ".", "(", ")", "[", "]",
    "{", "}",
];

/// All tokens with their places; the last one is [`Token::End`].
///
/// # Errors
/// A character that begins no token, and what is CEL but not of the part that rules may use.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, Refusal> {
    let mut list = Vec::new();
    let mut lexer = Lexer { text, at: 0 };
    loop {
        lexer.skip();
        let start = lexer.at;
        let Some(first) = lexer.peek() else {
            list.push((Token::End, start..start));
            return Ok(list);
        };
        let token = lexer.token(first)?;
        list.push((token, start..lexer.at));
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn token(&mut self, first: char) -> Result<Token<'t>, Refusal> {
        if let Some(text) = self.quoted()? {
            return Ok(Token::Text(text));
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Token::Name(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')));
        }
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with('.') && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) {
            return Err(self.point(start));
        }
        match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            Some(mark) => {
                self.at += mark.len();
                Ok(Token::Mark(mark))
            }
            None => {
                let message = match first {
                    '=' => "`=` is no operator, expected `==`".to_owned(),
                    '&' | '|' => format!("`{first}` is no operator, expected `{first}{first}`"),
                    _ => format!("`{first}` begins nothing that an expression may hold"),
                };
                Err(Refusal::new(start..start + first.len_utf8(), message))
            }
        }
    }

    fn number(&mut self) -> Result<Token<'t>, Refusal> {
        let start = self.at;
        let rest = self.rest();
        let (digits, radix) = match rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            Some(_) => {
                self.at += 2;
                (self.take_while(|c| c.is_ascii_hexdigit()), 16)
            }
            None => (self.take_while(|c| c.is_ascii_digit()), 10),
        };
        let mut after = self.rest().chars();
        match after.next() {
            Some('.') if radix == 10 && after.next().is_some_and(|c| c.is_ascii_digit()) => {
                return Err(self.point(start));
            }
            Some('e' | 'E') if radix == 10 => return Err(self.point(start)),
            Some('u' | 'U') => {
                self.take_while(|c| c.is_ascii_alphanumeric());
                return Err(absent(start..self.at, "an unsigned number", "write it without the `u`"));
            }
            Some(c) if c.is_ascii_alphanumeric() || c == '_' => {
                self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
                let found = self.text.get(start..self.at).unwrap_or_default();
                return Err(Refusal::new(start..self.at, format!("`{found}` is neither a number nor a name")));
            }
            _ => {}
        }
        u64::from_str_radix(digits, radix)
            .map(Token::Number)
            .map_err(|_| Refusal::new(start..self.at, "expected a number of at most 64 bits"))
    }

    fn point(&mut self, start: usize) -> Refusal {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        absent(start..self.at, "a number with a point", "no fact is one: compare whole numbers")
    }

    /// A text in quotes, if one begins here.
    fn quoted(&mut self) -> Result<Option<String>, Refusal> {
        let start = self.at;
        let rest = self.rest();
        let prefix = rest.bytes().take_while(|byte| matches!(byte, b'r' | b'R' | b'b' | b'B')).count();
        let (letters, body) = rest.split_at_checked(prefix).unwrap_or_default();
        let Some(quote) = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| body.starts_with(quote)) else {
            return Ok(None);
        };
        let raw = match letters {
            "" => false,
            "r" | "R" => true,
            _ => {
                let span = start..start + prefix;
                return Err(absent(span, "a text of bytes", "every fact is text, a number, or true or false"));
            }
        };
        self.at += prefix + quote.len();
        let mut text = String::new();
        loop {
            if self.rest().starts_with(quote) {
                self.at += quote.len();
                return Ok(Some(text));
            }
            match self.peek() {
                None => return Err(Refusal::new(start..self.at, "the text has no end")),
                Some('\n' | '\r') if quote.len() == 1 => {
                    return Err(Refusal::new(start..self.at, "the text has no end on its line"));
                }
                Some('\\') if !raw => text.push(self.escape()?),
                // A backslash and what stands behind it are both kept; a quote there is refused, as cel-cpp does.
                Some('\\') => {
                    text.push('\\');
                    self.at += 1;
                    match self.peek() {
                        Some('\\') => {
                            text.push('\\');
                            self.at += 1;
                        }
                        Some(next) if quote.starts_with(next) => {
                            let message = "a raw text has no quote behind a backslash";
                            return Err(Refusal::new(self.at - 1..self.at + 1, message));
                        }
                        _ => {}
                    }
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek();
        self.at += letter.map_or(0, char::len_utf8);
        let simple = match letter {
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\u{b}'),
            Some(c @ ('\\' | '?' | '"' | '\'' | '`')) => Some(c),
            _ => None,
        };
        if let Some(c) = simple {
            return Ok(c);
        }
        let (from, length, radix) = match letter {
            Some('x' | 'X') => (self.at, 2, 16),
            Some('u') => (self.at, 4, 16),
            Some('U') => (self.at, 8, 16),
            Some('0'..='3') => (self.at - 1, 3, 8),
            _ => (self.at, 0, 16),
        };
        let digits = self.text.get(from..from + length).unwrap_or_default();
        let code = match length {
            0 => None,
            _ if digits.chars().all(|c| c.is_digit(radix)) => u32::from_str_radix(digits, radix).ok(),
            _ => None,
        };
        match code.and_then(char::from_u32) {
            Some(c) => {
                self.at = from + length;
                Ok(c)
            }
            None => Err(Refusal::new(start..self.at, "no escape of CEL")
                .with_help("`\\\\`, `\\\"`, `\\n`, `\\t`, `\\x41`, `\\101`, `\\u0041`; or a raw text: r'...'")),
        }
    }
}

/// What is CEL, and not of the part that rules may use.
pub(super) fn absent(span: Range<usize>, what: &str, help: &str) -> Refusal {
    Refusal::new(span, format!("{what} is CEL, and not of the part that rules may use")).with_help(help)
}
