//! What a look at something found: one table of codes, with their words in two languages.

use clap::ValueEnum;
use serde::Serialize;

/// A language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    /// English
    En,
    /// Russian
    Ru,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Fine,
    /// May get in the way.
    Note,
    /// Is in the way.
    Problem,
}

impl Level {
    pub(super) fn word(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Fine, Language::En) => "OK     ",
            (Self::Note, Language::En) => "NOTE   ",
            (Self::Problem, Language::En) => "PROBLEM",
            (Self::Fine, Language::Ru) => "НОРМА   ",
            (Self::Note, Language::Ru) => "ЗАМЕТКА ",
            (Self::Problem, Language::Ru) => "ПРОБЛЕМА",
        }
    }
}

/// Title, cause and fix.
type Words = [&'static str; 3];

/// A kind of finding. `{0}` and `{1}` stand for what it is about and for a detail.
pub(super) struct Kind {
    code: &'static str,
    level: Level,
    en: Words,
    ru: Words,
}

macro_rules! kinds {
    ($($name:ident: $code:literal, $level:ident, [$($en:literal),*], [$($ru:literal),*];)*) => {
        $(pub(super) static $name: Kind = Kind { code: $code, level: Level::$level, en: [$($en),*], ru: [$($ru),*] };)*
        #[cfg(test)]
        static KINDS: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    ADB_PROGRAM: "adb-program", Fine,
        ["the program adb is {0}", "", ""],
        ["программа adb: {0}", "", ""];
    ADB_PROGRAM_MISSING: "adb-program-missing", Note,
        ["the program adb is not on the PATH",
         "an ADB server that runs already is used as it is; without the program none can be started",
         "install Android's platform-tools (Debian: sudo apt install adb) or put their folder on the PATH"],
        ["программы adb нет в PATH",
         "уже запущенный сервер ADB будет использован; без программы запустить новый нельзя",
         "установите platform-tools Android (Debian: sudo apt install adb) или добавьте их папку в PATH"];
    SERVER: "adb-server", Fine,
        ["an ADB server answers at {0}, protocol version {1}", "", ""],
        ["сервер ADB отвечает по адресу {0}, версия протокола {1}", "", ""];
    SERVER_MISSING: "adb-server-missing", Problem,
        ["no ADB server answers at {0}",
         "phones are reached through the server, and nothing listens there",
         "run: adb start-server   (or add --start-server to the command)"],
        ["сервер ADB не отвечает по адресу {0}",
         "телефоны доступны через сервер, а по этому адресу никто не слушает",
         "выполните: adb start-server   (или добавьте к команде --start-server)"];
    SERVER_SILENT: "adb-server-silent", Problem,
        ["what listens at {0} does not answer as an ADB server",
         "{1}",
         "if it is an ADB server that hangs: adb kill-server && adb start-server; if another program has the port, set ANDROID_ADB_SERVER_PORT for both"],
        ["то, что слушает по адресу {0}, не отвечает как сервер ADB",
         "{1}",
         "если это зависший сервер ADB: adb kill-server && adb start-server; если порт занят другой программой, задайте ANDROID_ADB_SERVER_PORT для обеих"];
    SERVER_VERSION: "adb-version-clash", Note,
        ["the ADB server speaks version {0}, the program adb on the PATH version {1}",
         "each call of adb of another version stops the server and starts its own: phones vanish while they are read",
         "use one adb for all: stop the server (adb kill-server) and let the IDE, scripts and this program find the same platform-tools"],
        ["сервер ADB говорит на версии {0}, программа adb в PATH — на версии {1}",
         "каждый вызов adb другой версии останавливает сервер и запускает свой: телефоны пропадают во время чтения",
         "используйте один adb: остановите сервер (adb kill-server) и укажите IDE, скриптам и этой программе одни platform-tools"];
    SERVER_OWNER: "adb-server-of-another-user", Note,
        ["the ADB server at {0} belongs to user id {1}, not to you",
         "its keys and its rights to USB are that user's: a phone that you authorised may be unauthorised for it",
         "stop it as that user (adb kill-server), then start it as yourself (adb start-server); never with sudo"],
        ["сервер ADB по адресу {0} принадлежит пользователю с id {1}, а не вам",
         "ключи и права на USB у него чужие: разрешённый вами телефон для него может быть не разрешён",
         "остановите его от имени того пользователя (adb kill-server) и запустите от своего (adb start-server), без sudo"];
    PHONE: "phone-ready", Fine,
        ["{0} is ready", "", ""],
        ["{0} готов", "", ""];
    NO_PHONES: "no-phones", Problem,
        ["the ADB server lists no phone",
         "no phone is connected with debugging switched on, or the cable only charges",
         "on the phone: Settings, About, tap the build number seven times; then Developer options, USB debugging (Xiaomi also: USB debugging (Security settings)); use a data cable"],
        ["сервер ADB не видит телефонов",
         "ни один телефон не подключён с включённой отладкой, или кабель только заряжает",
         "на телефоне: Настройки, О телефоне, семь раз нажмите номер сборки; затем Для разработчиков, Отладка по USB (Xiaomi ещё: Отладка по USB (Настройки безопасности)); возьмите кабель с данными"];
    UNAUTHORIZED: "phone-unauthorized", Problem,
        ["{0} does not trust this computer",
         "the dialog on its screen was not accepted, or was for another key",
         "unlock the phone and accept 'Allow USB debugging'; if no dialog comes: Developer options, Revoke USB debugging authorisations, then plug it in again"],
        ["{0} не доверяет этому компьютеру",
         "диалог на экране не принят или относился к другому ключу",
         "разблокируйте телефон и примите «Разрешить отладку по USB»; если диалога нет: Для разработчиков, Отозвать доступ для отладки, и подключите снова"];
    OFFLINE: "phone-offline", Problem,
        ["{0} is offline",
         "the server sees it and gets no answer: it is starting, its cable or hub is bad, or the server is stale",
         "wait until it has started, plug it in again at another port; then adb reconnect offline"],
        ["{0} не в сети (offline)",
         "сервер видит его, но не получает ответа: он запускается, плох кабель или хаб, либо сервер устарел",
         "дождитесь запуска, подключите к другому порту; затем adb reconnect offline"];
    NO_PERMISSIONS: "phone-no-permissions", Problem,
        ["the server may not open {0}",
         "{1}",
         "sudo apt install android-sdk-platform-tools-common (udev rules), sudo usermod -aG plugdev $USER, log in again, adb kill-server, plug the phone in again"],
        ["серверу нельзя открыть {0}",
         "{1}",
         "sudo apt install android-sdk-platform-tools-common (правила udev), sudo usermod -aG plugdev $USER, войдите в систему заново, adb kill-server, подключите телефон снова"];
    OTHER_STATE: "phone-other-state", Problem,
        ["{0} is in the state '{1}'",
         "only a phone whose Android runs can be read",
         "start the phone's system: adb reboot, or from the bootloader: fastboot reboot"],
        ["{0} в состоянии «{1}»",
         "читать можно только телефон с запущенной системой Android",
         "запустите систему телефона: adb reboot, из загрузчика: fastboot reboot"];
    RECOVERY: "phone-in-recovery", Problem,
        ["{0} is in recovery",
         "a recovery has no package manager, and its properties are not the system's",
         "start the phone's system: adb reboot"],
        ["{0} в режиме восстановления",
         "в нём нет менеджера пакетов, а свойства не те, что у системы",
         "запустите систему телефона: adb reboot"];
    DUPLICATE_SERIAL: "phone-duplicate-serial", Note,
        ["several phones have the serial number {0}: {1}",
         "cheap devices share one number; by it they can't be told apart",
         "name each by its USB port, as in adb:usb:1-4.2; all at once are told apart by themselves"],
        ["у нескольких телефонов серийный номер {0}: {1}",
         "у дешёвых устройств номер одинаков; по нему их не различить",
         "называйте каждый по порту USB, например adb:usb:1-4.2; вместе они различаются сами"];
    EMPTY_SERIAL: "phone-without-serial", Note,
        ["{0} has no serial number of its own",
         "it tells none, or the maker's placeholder",
         "name it by its USB port, as in adb:usb:1-4.2"],
        ["у {0} нет своего серийного номера",
         "номера нет или это заглушка изготовителя",
         "называйте его по порту USB, например adb:usb:1-4.2"];
    UNKNOWN_LINE: "adb-server-unknown-line", Note,
        ["the ADB server lists something in an unknown way: {0}",
         "its version is not known to this program",
         "report the line, with the version of adb"],
        ["сервер ADB выводит непонятную строку: {0}",
         "его версия неизвестна этой программе",
         "сообщите строку и версию adb"];
    USB_WITHOUT_DEBUGGING: "usb-without-debugging", Problem,
        ["{0} at USB port {1} offers files or pictures, and no debugging",
         "USB debugging is off, or the phone's USB mode hides it",
         "switch on USB debugging in Developer options; choose the USB mode 'File transfer' in its notification"],
        ["{0} на порту USB {1} предлагает файлы или фото, но не отладку",
         "отладка по USB выключена или скрыта режимом USB",
         "включите отладку по USB в меню Для разработчиков; в уведомлении выберите режим «Передача файлов»"];
    USB_UNSEEN: "usb-debugging-unseen", Problem,
        ["{0} at USB port {1} offers debugging, and the ADB server does not list it",
         "the server runs elsewhere, may not open it, or another program holds it",
         "adb kill-server, then adb start-server; close other programs that use the phone; see udev rules and the group plugdev"],
        ["{0} на порту USB {1} предлагает отладку, но сервер ADB его не показывает",
         "сервер работает в другом месте, не имеет прав или телефон занят другой программой",
         "adb kill-server, затем adb start-server; закройте программы, занявшие телефон; проверьте правила udev и группу plugdev"];
    UDEV_MISSING: "udev-rules-missing", Note,
        ["no udev rules for Android phones were found",
         "without them only root may open a phone",
         "sudo apt install android-sdk-platform-tools-common, then plug the phone in again"],
        ["правил udev для телефонов Android нет",
         "без них телефон может открыть только root",
         "sudo apt install android-sdk-platform-tools-common, затем подключите телефон снова"];
    NOT_IN_PLUGDEV: "not-in-plugdev", Note,
        ["you are not in the group plugdev",
         "Debian's rules open phones to that group",
         "sudo usermod -aG plugdev $USER, then log in again"],
        ["вы не состоите в группе plugdev",
         "правила Debian открывают телефоны этой группе",
         "sudo usermod -aG plugdev $USER, затем войдите в систему заново"];
    DISK: "disk", Fine,
        ["{0} has {1} free", "", ""],
        ["в {0} свободно {1}", "", ""];
    DISK_LOW: "disk-low", Problem,
        ["{0} has only {1} free",
         "streams that can't be read from the middle are unpacked there; a system image needs some gigabytes",
         "make room, or set TMPDIR to a folder on another disk"],
        ["в {0} свободно только {1}",
         "там распаковываются потоки, которые нельзя читать с середины; образу системы нужны гигабайты",
         "освободите место или задайте TMPDIR на другом диске"];
    MEMORY: "memory", Fine,
        ["{0} of memory are available", "", ""],
        ["доступно {0} памяти", "", ""];
    MEMORY_LOW: "memory-low", Problem,
        ["only {0} of memory are available",
         "each target takes up to 256 MiB",
         "close other programs, or read fewer targets at once with --jobs 1 --cache 64M"],
        ["доступно только {0} памяти",
         "одной цели нужно до 256 МиБ",
         "закройте другие программы или читайте меньше целей сразу: --jobs 1 --cache 64M"];
    FILE: "file-readable", Fine,
        ["{0}: {1}", "", ""],
        ["{0}: {1}", "", ""];
    FILE_PARTLY: "file-partly-readable", Note,
        ["{0} can be read in part",
         "{1}",
         "take the whole package of the maker, with all its files in one folder"],
        ["{0} читается частично",
         "{1}",
         "возьмите полный пакет изготовителя, все файлы в одной папке"];
    FILE_MISSING: "file-missing", Problem,
        ["there is no {0}",
         "no file or folder has that name",
         "check the name, and the folder in which the command runs"],
        ["{0} не существует",
         "файла или папки с таким именем нет",
         "проверьте имя и папку, в которой выполняется команда"];
    FILE_UNREADABLE: "file-unreadable", Problem,
        ["{0} can't be read",
         "{1}",
         "take the maker's fastboot or OTA package, a folder of images, a bug report, or a saved inventory"],
        ["{0} прочитать нельзя",
         "{1}",
         "возьмите пакет fastboot или OTA изготовителя, папку образов, отчёт об ошибке (bug report) или сохранённую опись"];
}

/// A kind, and what it is about.
pub(super) struct Finding {
    kind: &'static Kind,
    about: String,
    detail: String,
}

/// A finding in one language.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    /// Public code: it stays.
    pub(super) code: &'static str,
    level: Level,
    /// What it is about: a phone, an address, a file.
    #[serde(skip_serializing_if = "str::is_empty")]
    about: &'a str,
    pub(super) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) cause: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) fix: String,
}

impl Finding {
    pub(super) fn new(kind: &'static Kind, about: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, about: about.into(), detail: detail.into() }
    }

    pub(super) fn level(&self) -> Level {
        self.kind.level
    }

    pub(super) fn told(&self, language: Language) -> Told<'_> {
        let words = match language {
            Language::En => &self.kind.en,
            Language::Ru => &self.kind.ru,
        };
        let [title, cause, fix] = words.map(|text| text.replace("{1}", &self.detail).replace("{0}", &self.about));
        Told { code: self.kind.code, level: self.kind.level, about: &self.about, title, cause, fix }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_finding_that_is_not_fine_has_cause_and_fix_in_both_languages() {
        let mut codes = BTreeSet::new();
        for kind in KINDS {
            assert!(codes.insert(kind.code), "{} twice", kind.code);
            for words in [&kind.en, &kind.ru] {
                assert!(!words[0].is_empty(), "{}", kind.code);
                for text in &words[1..] {
                    assert_eq!(text.is_empty(), kind.level == Level::Fine, "{}", kind.code);
                }
            }
            let russian = kind.ru.concat();
            let cyrillic = russian.chars().any(|c| ('а'..='я').contains(&c));
            assert!(cyrillic || kind.code == "file-readable", "{}", kind.code);
            let holes = |words: &Words| ["{0}", "{1}"].map(|hole| words.concat().contains(hole));
            assert_eq!(holes(&kind.en), holes(&kind.ru), "{}: both tell the same", kind.code);
        }
    }
}
