//! What reports say, in the languages that they speak. Rules carry their own texts, in their profiles; identifiers, codes
//! and column names are not translated.

/// A language of reports for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Ru];

    /// The language's code, BCP 47.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }
}

/// A phrase in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phrase {
    en: &'static str,
    ru: &'static str,
}

impl Phrase {
    pub(crate) const fn say(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Ru => self.ru,
        }
    }
}

const fn phrase(en: &'static str, ru: &'static str) -> Phrase {
    Phrase { en, ru }
}

/// A noun with its forms for numbers: one, many in English; one, two to four, five and more in Russian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Noun {
    en: [&'static str; 2],
    ru: [&'static str; 3],
}

impl Noun {
    /// The form that stands with a number.
    pub(crate) fn form(self, count: u64, lang: Lang) -> &'static str {
        match lang {
            Lang::En if count == 1 => self.en[0],
            Lang::En => self.en[1],
            Lang::Ru => match (count % 10, count % 100) {
                (_, 11..=14) => self.ru[2],
                (1, _) => self.ru[0],
                (2..=4, _) => self.ru[1],
                _ => self.ru[2],
            },
        }
    }

    /// A number with its noun.
    pub(crate) fn count(self, count: u64, lang: Lang) -> String {
        format!("{count} {}", self.form(count, lang))
    }
}

const fn noun(en: [&'static str; 2], ru: [&'static str; 3]) -> Noun {
    Noun { en, ru }
}

pub(crate) const PACKAGES: Noun = noun(["package", "packages"], ["пакет", "пакета", "пакетов"]);
pub(crate) const PARTITIONS: Noun = noun(["partition", "partitions"], ["раздел", "раздела", "разделов"]);
pub(crate) const USERS: Noun = noun(["user", "users"], ["пользователь", "пользователя", "пользователей"]);
pub(crate) const GAPS: Noun = noun(["gap", "gaps"], ["пробел", "пробела", "пробелов"]);
pub(crate) const OTHER_GAPS: Noun =
    noun(["other gap", "other gaps"], ["прочий пробел", "прочих пробела", "прочих пробелов"]);
pub(crate) const TARGETS: Noun = noun(["target", "targets"], ["объект", "объекта", "объектов"]);
pub(crate) const DEVICES: Noun = noun(["device", "devices"], ["устройство", "устройства", "устройств"]);
pub(crate) const NOTICES: Noun = noun(["notice", "notices"], ["уведомление", "уведомления", "уведомлений"]);
pub(crate) const MAY_HIDE: Noun = noun(
    ["may hide packages", "may hide packages"],
    ["может скрывать пакеты", "могут скрывать пакеты", "могут скрывать пакеты"],
);
pub(crate) const CHARACTERS: Noun = noun(["character", "characters"], ["знак", "знака", "знаков"]);

/// Counts of findings by verdict, as they stand after the number: `3 failed`.
pub(crate) const COUNTED_FAIL: Noun = noun(["failed", "failed"], ["нарушение", "нарушения", "нарушений"]);
pub(crate) const COUNTED_INCONCLUSIVE: Noun =
    noun(["inconclusive", "inconclusive"], ["не определено", "не определены", "не определено"]);
pub(crate) const COUNTED_ERROR: Noun = noun(
    ["with an error of this tool", "with an error of this tool"],
    ["ошибка программы", "ошибки программы", "ошибок программы"],
);
pub(crate) const COUNTED_NOT_CHECKED: Noun =
    noun(["left to a person", "left to a person"], ["ждёт человека", "ждут человека", "ждут человека"]);
pub(crate) const COUNTED_PASS: Noun = noun(["passed", "passed"], ["выполнено", "выполнены", "выполнено"]);
pub(crate) const COUNTED_INFORMATIONAL: Noun =
    noun(["informational", "informational"], ["справочно", "справочно", "справочно"]);
pub(crate) const COUNTED_NOT_APPLICABLE: Noun =
    noun(["not applicable", "not applicable"], ["неприменимо", "неприменимы", "неприменимо"]);
pub(crate) const KNOWN_FROM: Phrase = phrase("KNOWN from", "ИЗВЕСТНО из");
pub(crate) const COUNTED_WAIVED: Noun =
    noun(["of them waived", "of them waived"], ["по исключению", "по исключению", "по исключению"]);
pub(crate) const COUNTED_KNOWN: Noun =
    noun(["of them known", "of them known"], ["известно ранее", "известны ранее", "известны ранее"]);

pub(crate) const COMPLIANT: Phrase = phrase("COMPLIANT", "СООТВЕТСТВУЕТ");
pub(crate) const NOT_COMPLIANT: Phrase = phrase("NOT COMPLIANT", "НЕ СООТВЕТСТВУЕТ");
pub(crate) const OVERALL_INCONCLUSIVE: Phrase = phrase("INCONCLUSIVE", "НЕ ОПРЕДЕЛЕНО");
pub(crate) const NOT_READ: Phrase = phrase("NOT READ", "НЕ ПРОЧИТАНО");
pub(crate) const NOT_READ_TRY_AGAIN: Phrase = phrase("NOT READ (try again)", "НЕ ПРОЧИТАНО (повторите)");

pub(crate) const FAIL: Phrase = phrase("FAIL", "НАРУШЕНИЕ");
pub(crate) const INCONCLUSIVE: Phrase = phrase("INCONCLUSIVE", "НЕ ОПРЕДЕЛЕНО");
pub(crate) const ERROR: Phrase = phrase("ERROR", "ОШИБКА ПРОГРАММЫ");
pub(crate) const NOT_CHECKED: Phrase = phrase("NOT CHECKED", "ПРОВЕРЯЕТ ЧЕЛОВЕК");
pub(crate) const PASS: Phrase = phrase("PASS", "ВЫПОЛНЕНО");
pub(crate) const INFO: Phrase = phrase("INFO", "СПРАВОЧНО");
pub(crate) const NOT_APPLICABLE: Phrase = phrase("NOT APPLICABLE", "НЕПРИМЕНИМО");
pub(crate) const WAIVED: Phrase = phrase("WAIVED", "ПО ИСКЛЮЧЕНИЮ");
pub(crate) const KNOWN_BEFORE: Phrase = phrase("known before", "известно ранее");
pub(crate) const NEW: Phrase = phrase("new", "новое");

pub(crate) const ABSENT: Phrase = phrase("absent", "отсутствует");
pub(crate) const LOOK_ALIKE: Phrase = phrase("look-alike", "лишь похоже на приложение");
pub(crate) const STUB: Phrase = phrase("placeholder", "заглушка");
pub(crate) const PRESENT: Phrase = phrase("present", "присутствует");
pub(crate) const NOT_ENABLED: Phrase = phrase("not enabled", "отключено");
pub(crate) const ABOVE_CEILING: Phrase = phrase("above the ceiling", "разрешений больше допустимого");
pub(crate) const METHOD_NOT_OBSERVABLE: Phrase = phrase("the method can't be observed", "способ нельзя наблюдать");
pub(crate) const PROVENANCE_UNCLEAR: Phrase = phrase("provenance unclear", "происхождение неясно");
pub(crate) const GOVERNING_DATE: Phrase = phrase("governing date open", "неясно, какая дата определяет");
pub(crate) const INCOMPLETE_EVIDENCE: Phrase = phrase("evidence incomplete", "данных недостаточно");
pub(crate) const UNKNOWN_FACT: Phrase = phrase("a fact is unknown", "факт неизвестен");
pub(crate) const OUT_OF_DATE: Phrase = phrase("not in force", "не действует на эту дату");
pub(crate) const OTHER_DEVICE_KIND: Phrase = phrase("other kind of device", "другой вид устройства");
pub(crate) const OTHER_OS_FLAVOUR: Phrase = phrase("other operating system", "другая операционная система");

pub(crate) const TOO_FEW: Phrase = phrase("too few", "слишком мало");
pub(crate) const NOT_PREINSTALLED: Phrase = phrase("not part of the firmware", "не входит в прошивку");
pub(crate) const OUT_OF_RANGE: Phrase = phrase("out of range", "вне допустимых границ");
pub(crate) const NOT_VISIBLE: Phrase = phrase("no icon", "нет значка");
pub(crate) const WRONG_SIGNER: Phrase = phrase("wrong signer", "подписано не тем ключом");
pub(crate) const FORBIDDEN_SIGNER: Phrase = phrase("forbidden signer", "запрещённый ключ подписи");
pub(crate) const PUBLISHED_KEY: Phrase = phrase("published key", "общеизвестный ключ подписи");
pub(crate) const PRIVILEGED: Phrase = phrase("privileged", "привилегированное");
pub(crate) const PLATFORM_SIGNED: Phrase = phrase("signed with the platform's key", "подписано ключом платформы");
pub(crate) const SHARED_USER: Phrase = phrase("shared user id", "общий идентификатор пользователя");
pub(crate) const BELOW_FLOOR: Phrase = phrase("a permission is missing", "не хватает разрешения");
pub(crate) const NOT_AT_PAR: Phrase = phrase("not at par", "хуже других");
pub(crate) const EXPORTED: Phrase = phrase("open to every app", "открыто всем приложениям");
pub(crate) const SYSTEM_HOOK: Phrase = phrase("called by the system", "вызывается системой");
pub(crate) const MANIFEST_FLAG: Phrase = phrase("setting of the manifest", "настройка манифеста");
pub(crate) const CONTAINS_CODE: Phrase = phrase("contains named code", "содержит указанный код");
pub(crate) const NATIVE_CODE: Phrase = phrase("native code", "машинный код");
pub(crate) const UNKNOWN_PLACE: Phrase = phrase("unknown place", "неизвестное место");
pub(crate) const INSTALLER_AGENT: Phrase = phrase("installs other apps", "устанавливает другие приложения");
pub(crate) const BUILD_PROPERTIES: Phrase = phrase("build not for sale", "сборка не для продажи");
pub(crate) const TOO_OLD: Phrase = phrase("too old", "слишком старое");
pub(crate) const NOT_REMOVABLE: Phrase = phrase("not removable", "нельзя удалить");
pub(crate) const REMOVABLE: Phrase = phrase("removable", "можно удалить");
pub(crate) const LOST_ON_RESET: Phrase = phrase("lost on reset", "пропадает при сбросе");
pub(crate) const SEVERAL_UNREMOVABLE: Phrase = phrase("several unremovable", "несколько неудаляемых");
pub(crate) const OTHER_ROLE_HOLDER: Phrase = phrase("another app holds the role", "роль у другого приложения");
pub(crate) const WORSE_PLACEMENT: Phrase = phrase("shown worse", "показано хуже");
pub(crate) const EXPRESSION_FALSE: Phrase = phrase("the expression does not hold", "условие не выполнено");
pub(crate) const EXPRESSION_ERROR: Phrase = phrase("the expression has no value", "условие нельзя вычислить");
pub(crate) const SCORE_ABOVE: Phrase = phrase("score above its bound", "оценка выше границы");
pub(crate) const ATTESTED_BREACH: Phrase = phrase("breach seen by a person", "нарушение установил человек");
pub(crate) const NOTHING_MATCHED: Phrase = phrase("nothing matched", "ничего подходящего");
pub(crate) const OTHER_VERSION: Phrase = phrase("other version", "другая версия");
pub(crate) const OTHER_MARKET: Phrase = phrase("other market", "другой рынок");
pub(crate) const OTHER_SDK: Phrase = phrase("other API level", "другой уровень API");

pub(crate) const NOT_OBSERVED: Phrase = phrase("not observed", "не наблюдалось");
pub(crate) const MISSING: Phrase = phrase("missing", "отсутствует");
pub(crate) const REFUSED: Phrase = phrase("refused", "отказано");
pub(crate) const TRUNCATED: Phrase = phrase("cut short", "оборвано");
pub(crate) const TIMED_OUT: Phrase = phrase("timed out", "нет ответа в срок");
pub(crate) const TOO_LARGE: Phrase = phrase("too large", "слишком велико");
pub(crate) const DAMAGED: Phrase = phrase("damaged", "повреждено");
pub(crate) const UNSUPPORTED: Phrase = phrase("not supported", "не поддерживается");
pub(crate) const FAILED: Phrase = phrase("failed", "команда не удалась");
pub(crate) const DISCONNECTED: Phrase = phrase("connection lost", "связь потеряна");
pub(crate) const CONTRADICTION: Phrase = phrase("contradiction", "противоречие");

pub(crate) const HIDES_PACKAGES: Phrase = phrase("may hide packages", "может скрывать пакеты");
pub(crate) const HIDES_USERS: Phrase = phrase("hides states of users", "скрывает состояние пользователей");
pub(crate) const HIDES_FACTS: Phrase = phrase("hides single facts", "скрывает отдельные факты");

pub(crate) const USER_REMOVABLE: Phrase = phrase("removable for good", "удаляется насовсем");
pub(crate) const RETURNS_AFTER_RESET: Phrase = phrase("returns after a reset", "возвращается после сброса");
pub(crate) const DISABLE_ONLY: Phrase = phrase("can only be disabled", "можно только отключить");
pub(crate) const STUB_UPDATES_ITSELF: Phrase = phrase("placeholder that updates itself", "заглушка, обновляется сама");
pub(crate) const FIXED: Phrase = phrase("not removable", "нельзя удалить");

pub(crate) const MANDATORY: Phrase = phrase("mandatory", "обязательное");
pub(crate) const CONTRACTUAL: Phrase = phrase("contractual", "по договору");
pub(crate) const POLICY: Phrase = phrase("policy", "внутреннее");
pub(crate) const ADVISORY: Phrase = phrase("advisory", "рекомендация");

pub(crate) const DEVICE: Phrase = phrase("device", "устройство");
pub(crate) const PROFILE: Phrase = phrase("profile", "профиль");
pub(crate) const JUDGED: Phrase = phrase("judged", "проверено");
pub(crate) const WHY: Phrase = phrase("why", "причина");
pub(crate) const EXPECTED: Phrase = phrase("expected", "требуется");
pub(crate) const OBSERVED: Phrase = phrase("observed", "найдено");
pub(crate) const WHERE: Phrase = phrase("where", "где");
pub(crate) const LINE: Phrase = phrase("line", "строка");
pub(crate) const IN_FORCE: Phrase = phrase("in force", "действует");
pub(crate) const LAW: Phrase = phrase("law", "основание");
pub(crate) const NOTE: Phrase = phrase("note", "замечание");
pub(crate) const DO: Phrase = phrase("do", "сделать");
pub(crate) const WAIVER: Phrase = phrase("waiver", "исключение");
pub(crate) const WAIVED_UNTIL: Phrase = phrase("until", "до");
pub(crate) const OWNER: Phrase = phrase("owner", "отвечает");
pub(crate) const APPROVED_BY: Phrase = phrase("approved by", "утвердил");
pub(crate) const ATTESTED: Phrase = phrase("attested", "подтвердил");
pub(crate) const BASELINE: Phrase = phrase("baseline", "сравнение");
pub(crate) const GAP: Phrase = phrase("gap", "пробел");
pub(crate) const COVERAGE: Phrase = phrase("Coverage", "Охват");
pub(crate) const COMPLETE: Phrase = phrase("complete", "прочитано полностью");
pub(crate) const LIST_COMPLETE: Phrase = phrase("package list complete", "список пакетов полон");
pub(crate) const INCOMPLETE: Phrase = phrase("INCOMPLETE", "ПРОЧИТАНО НЕ ВСЁ");
pub(crate) const UNKNOWN_DEVICE: Phrase = phrase("unknown device", "неизвестное устройство");
pub(crate) const UNKNOWN: Phrase = phrase("unknown", "неизвестно");
pub(crate) const NOTHING_JUDGED: Phrase = phrase("nothing was judged", "ничего не проверено");
pub(crate) const NO_RULE_SETTLED: Phrase = phrase("no rule was settled", "ни одно правило не решено");
pub(crate) const READING_INCOMPLETE: Phrase = phrase("the reading is incomplete", "прочитано не всё");
pub(crate) const BELOW: Phrase = phrase("below", "ниже");
pub(crate) const AS_OF: Phrase = phrase("as of", "на дату");
pub(crate) const MADE: Phrase = phrase("made", "изготовлено");
pub(crate) const SOLD: Phrase = phrase("sold", "продано");
pub(crate) const FROM: Phrase = phrase("from", "с");
pub(crate) const UNTIL: Phrase = phrase("until", "по");
pub(crate) const GOVERNS: Phrase = phrase("governs", "определяющая дата");
pub(crate) const WHICH_GOVERNS: Phrase = phrase("which date governs", "какая дата определяет");
pub(crate) const CONFIDENCE: Phrase = phrase("confidence", "достоверность");
pub(crate) const AND_MORE: Phrase = phrase("and more, not shown here:", "и ещё, здесь не показано:");
pub(crate) const MORE_IN_JSON: Phrase = phrase("all of them: --format json", "все: --format json");

// Pages of the HTML form.
pub(crate) const REPORT_TITLE: Phrase = phrase("What the device ships with", "Что установлено на устройстве");
pub(crate) const SUMMARY: Phrase = phrase("Summary", "Сводка");
pub(crate) const ALL_DEVICES: Phrase = phrase("All devices", "Все устройства");
pub(crate) const WHAT_TO_DO: Phrase = phrase("What to do", "Что сделать");
pub(crate) const NOTHING_TO_DO: Phrase = phrase("Nothing: no finding is open.", "Ничего: открытых выводов нет.");
pub(crate) const TRY_AGAIN: Phrase = phrase(
    "Connect the phone again, allow debugging on its screen, and repeat the check.",
    "Подключите телефон снова, разрешите отладку на его экране и повторите проверку.",
);
pub(crate) const READ_OTHERWISE: Phrase = phrase(
    "The input can't be read. Give the file in another form, or check the phone itself.",
    "Данные прочитать нельзя. Дайте файл в другом виде или проверьте сам телефон.",
);
pub(crate) const CLOSE_GAPS: Phrase = phrase(
    "Read the target again so that the gaps below are closed: while they are open nothing is called compliant.",
    "Прочитайте объект ещё раз, чтобы закрыть пробелы ниже: пока они есть, соответствие не подтверждается.",
);
pub(crate) const LOOK_YOURSELF: Phrase =
    phrase("A person has to look and attest.", "Должен посмотреть и подтвердить человек.");
pub(crate) const GET_EVIDENCE: Phrase =
    phrase("More evidence is needed; the finding says which.", "Нужно больше данных; вывод говорит, каких.");
pub(crate) const REPORT_FAULT: Phrase =
    phrase("A fault of this program: report it to its makers.", "Ошибка программы: сообщите её авторам.");
pub(crate) const FINDINGS_TITLE: Phrase = phrase("Findings", "Выводы");
pub(crate) const COVERAGE_AND_GAPS: Phrase = phrase("Coverage and gaps", "Охват и пробелы");
pub(crate) const NO_GAPS: Phrase = phrase("Everything was read.", "Прочитано всё.");
pub(crate) const CHARTS: Phrase = phrase("At a glance", "Обзор");
pub(crate) const BY_PARTITION: Phrase = phrase("Packages by partition", "Пакеты по разделам");
pub(crate) const BY_PLACEMENT: Phrase = phrase("Packages by kind of place", "Пакеты по виду места");
pub(crate) const BY_REMOVABILITY: Phrase = phrase("Packages by removability", "Пакеты по удаляемости");
pub(crate) const REMOVABILITY: Phrase = phrase("removable", "удаляемость");
pub(crate) const READ_AT: Phrase = phrase("read", "прочитано");
pub(crate) const NOTICES_TITLE: Phrase = phrase("Notices", "Уведомления");
pub(crate) const TAILORED: Phrase = phrase("Tailored rules", "Изменённые правила");
pub(crate) const BY_LEVEL: Phrase = phrase("Permissions asked for, by level", "Запрошенные разрешения по уровню");
pub(crate) const PACKAGES_TITLE: Phrase = phrase("Packages", "Пакеты");
pub(crate) const PACKAGES_NOT_HERE: Phrase = phrase(
    "This report was written without its inventory: packages and permissions are not in it.",
    "Этот отчёт записан без описи: пакетов и разрешений в нём нет.",
);
pub(crate) const PACKAGES_UNKNOWN: Phrase = phrase("The list of packages is unknown:", "Список пакетов неизвестен:");
pub(crate) const LINES_BRIEF: Phrase = phrase(
    "A line each, since the batch is large: the name of a rule leads to what it wants, its dates, notes and sources.",
    "По строке на вывод, так как устройств много: имя правила ведёт к его требованию, датам, замечаниям и источникам.",
);
pub(crate) const PACKAGES_BRIEF: Phrase = phrase(
    "A line each, since the batch is large; the report of a single device has the full table.",
    "По строке на пакет, так как устройств много; полная таблица есть в отчёте об одном устройстве.",
);
pub(crate) const PERMISSIONS_TITLE: Phrase = phrase("Permissions", "Разрешения");
pub(crate) const MATRIX_CAPTION: Phrase = phrase(
    "Permissions asked for, counted once for each package: rows by protection level, columns by the package's place and \
     by whether the permission is granted. Unknown is not the same as refused.",
    "Запрошенные разрешения, по одному на каждый пакет: строки — уровень защиты, столбцы — место пакета и выдано ли \
     разрешение. «Неизвестно» не значит «отказано».",
);
pub(crate) const WHO_HOLDS: Phrase =
    phrase("Which packages ask for which permission", "Какие пакеты какое разрешение запрашивают");
pub(crate) const PRIVILEGED_PACKAGES: Phrase = phrase("privileged packages", "привилегированные пакеты");
pub(crate) const OTHER_PACKAGES: Phrase = phrase("other packages", "прочие пакеты");
pub(crate) const GRANTED: Phrase = phrase("granted", "выдано");
pub(crate) const REFUSED_GRANT: Phrase = phrase("not granted", "не выдано");
pub(crate) const LEVEL: Phrase = phrase("level", "уровень");
pub(crate) const PERMISSION: Phrase = phrase("permission", "разрешение");
pub(crate) const RULES_TITLE: Phrase = phrase("Rules and their sources", "Правила и их источники");
pub(crate) const PACKAGE: Phrase = phrase("package", "пакет");
pub(crate) const LABEL: Phrase = phrase("label", "название");
pub(crate) const VERSION: Phrase = phrase("version", "версия");
pub(crate) const PARTITION: Phrase = phrase("partition", "раздел");
pub(crate) const PLACE: Phrase = phrase("place", "место");
pub(crate) const PATH: Phrase = phrase("path", "путь");
pub(crate) const SIGNER: Phrase = phrase("signer", "подпись");
pub(crate) const ASKED: Phrase = phrase("asked", "запрошено");
pub(crate) const NONE: Phrase = phrase("none", "нет");
pub(crate) const VERDICT: Phrase = phrase("verdict", "вердикт");
pub(crate) const COUNTS: Phrase = phrase("findings", "выводы");
pub(crate) const RULE: Phrase = phrase("rule", "правило");
pub(crate) const REASON: Phrase = phrase("reason", "причина");
pub(crate) const DETAIL: Phrase = phrase("detail", "подробности");
pub(crate) const SOURCES: Phrase = phrase("sources", "источники");
pub(crate) const PROVES: Phrase = phrase(
    "This report says what was read and how it was judged. It proves nothing about what a device did not tell.",
    "Отчёт говорит, что было прочитано и как оценено. О том, чего устройство не сообщило, он ничего не доказывает.",
);
pub(crate) const MADE_BY: Phrase = phrase("Made by", "Составлено программой");
pub(crate) const NO_TARGETS: Phrase = phrase("No target was judged.", "Ни один объект не проверен.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_nouns_follow_their_number() {
        let forms = |n| PACKAGES.count(n, Lang::Ru);
        assert_eq!([0, 1, 2, 5, 11].map(forms), ["0 пакетов", "1 пакет", "2 пакета", "5 пакетов", "11 пакетов"]);
        assert_eq!(
            [14, 21, 22, 111, 121].map(forms),
            ["14 пакетов", "21 пакет", "22 пакета", "111 пакетов", "121 пакет"]
        );
        assert_eq!(PACKAGES.count(1, Lang::En), "1 package");
        assert_eq!(PACKAGES.count(0, Lang::En), "0 packages");
    }
}
