//! `notice`: what a shop tells a buyer.

use std::fs;

use super::{FIRMWARE, PHONE, run};

const DAY: [&str; 4] = ["--profile", "ru/smartphone", "--as-of", "2026-06-01"];

fn report(folder: &tempfile::TempDir, change: impl FnOnce(String) -> String) -> String {
    let said = run([&["check", PHONE, "--format", "json"], DAY.as_slice()].concat());
    let path = folder.path().join("report.json");
    fs::write(&path, change(said.out)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_phone_without_max_gets_its_texts_and_exits_1() {
    let said = run([&["notice", PHONE, "--text", "price-tag"], DAY.as_slice()].concat());
    assert_eq!((said.code, said.out.as_str()), (1, "Товар имеет недостаток. Отсутствуют: мессенджер MAX.\n"));
    let all = run([&["notice", PHONE], DAY.as_slice()].concat());
    let expected = "## Сведения о недостатке товара

Товар: orion Orion P1, сборка OrionOS 4.2 (OP1.260115.001).
Товар имеет недостаток, оговорённый продавцом.
В товаре отсутствуют предустановленные программы:
— мессенджер MAX
Не удалось проверить:
— Российская поисковая система или система ЕАЭС доступна по умолчанию
Проверено 2026-06-01 по перечню ru/smartphone ";
    assert!(all.out.starts_with(expected), "{}", all.out);
    assert!(all.out.contains("## Ценник") && all.out.contains("## Карточка товара"), "{}", all.out);
}

#[test]
fn a_report_and_its_target_give_the_same_texts() {
    let folder = tempfile::tempdir().unwrap();
    let of_report = run(["notice", &report(&folder, |text| text)]);
    let of_target = run([&["notice", PHONE], DAY.as_slice()].concat());
    assert_eq!((of_report.code, of_report.out), (1, of_target.out));
}

#[test]
fn several_apps_are_listed_by_name_without_what_should_have_been() {
    let said = run([&["notice", FIRMWARE, "--text", "disclosure"], DAY.as_slice()].concat());
    assert!(said.out.contains("\n— RuStore (единый магазин приложений)\n"), "{}", said.out);
    assert!(!said.out.contains("предустановлено"), "{}", said.out);
}

#[test]
fn a_phone_that_passes_gets_no_text_and_exits_0() {
    let folder = tempfile::tempdir().unwrap();
    let clean = report(&folder, |text| {
        ["fail", "inconclusive", "not_checked"]
            .iter()
            .fold(text, |text, verdict| text.replace(&format!("\"verdict\": \"{verdict}\""), "\"verdict\": \"pass\""))
            .replace("not_compliant", "compliant")
    });
    let said = run(["notice", &clean]);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert!(said.err.contains("nothing is to be disclosed"), "{}", said.err);
}

#[test]
fn what_could_not_be_settled_promises_nothing_and_exits_3() {
    let folder = tempfile::tempdir().unwrap();
    let open = report(&folder, |text| {
        text.replace(r#""verdict": "fail""#, r#""verdict": "inconclusive""#).replace("not_compliant", "inconclusive")
    });
    let said = run(["notice", &open]);
    assert_eq!((said.code, said.out.as_str()), (3, ""));
}

#[test]
fn a_shop_writes_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("words.toml");
    fs::write(
        &template,
        "[names]\nRU-MAX = 'MAX'\n[[text]]\nname = 'sms'\ntitle = 'SMS'\nbody = 'Нет: {{missing}} ({{count}})'\n",
    )
    .unwrap();
    let template = template.to_str().unwrap();
    let said = run([&["notice", PHONE, "--template", template, "--text", "sms"], DAY.as_slice()].concat());
    assert_eq!((said.code, said.out.as_str()), (1, "Нет: MAX (1)\n"));
    let wrong = run([&["notice", PHONE, "--template", template, "--text", "price-tag"], DAY.as_slice()].concat());
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("it has sms"), "{}", wrong.err);
    let printed = run(["notice", "--print-template"]);
    assert!(printed.out.contains("no legal advice"), "{}", printed.out);
    assert_eq!(run(["notice", PHONE]).code, 2);
}
