//! The tables of platforms, from what `cargo xtask platforms` has recorded.

use serde_json::Value;

/// A platform of the tables.
struct Platform {
    name: &'static str,
    /// The target in the record. `.ci/run` sees Linux on amd64.
    target: Option<&'static str>,
}

const PLATFORMS: [Platform; 8] = [
    Platform { name: "Linux on amd64", target: None },
    Platform { name: "Linux on arm64", target: Some("aarch64-unknown-linux-gnu") },
    Platform { name: "Windows on amd64", target: Some("x86_64-pc-windows-gnu") },
    Platform { name: "macOS on arm64", target: Some("aarch64-apple-darwin") },
    Platform { name: "macOS on amd64", target: Some("x86_64-apple-darwin") },
    Platform { name: "Windows on arm64", target: Some("aarch64-pc-windows-msvc") },
    Platform { name: "Linux on 386", target: Some("i686-unknown-linux-gnu") },
    Platform { name: "Linux on s390x (big-endian)", target: Some("s390x-unknown-linux-gnu") },
];

const NO: &str = "–";

/// The record that `cargo xtask platforms` writes.
const RECORD: &str = include_str!("platforms.json");

/// Returns the table for the page of compatibility.
pub(crate) fn table() -> String {
    let head = "| platform | executable | unit and protocol tests | acceptance tests | last run |\n| --- | --- | --- | --- | --- |\n";
    rows(&PLATFORMS, head, |seen| {
        let Some(seen) = seen else {
            return ["packaged, static", "✓", "✓", "each change"].map(str::to_owned).into();
        };
        let under = seen["emulator"].as_str().map(|name| format!(" under {name}")).unwrap_or_default();
        let tests = seen["tests"].as_u64().map(|tests| format!("{tests}{under}"));
        let date = seen["date"].as_str().unwrap_or(NO).to_owned();
        vec![executable(seen), tests.unwrap_or_else(no), acceptance(seen).map_or_else(no, |job| job + &under), date]
    })
}

/// The number of platforms, from the first on, on which people run Terraform. The others stand for kinds of processors.
const OF_USERS: usize = 6;

/// Returns the table for README.
pub(crate) fn short_table() -> String {
    rows(&PLATFORMS[..OF_USERS], "| platform | built | tested |\n| --- | --- | --- |\n", |seen| {
        let Some(seen) = seen else { return ["✓", "each change"].map(str::to_owned).into() };
        let built = if seen["bytes"].is_u64() { "✓".to_owned() } else { executable(seen) };
        let under = seen["emulator"].as_str().map(|name| format!(", under {name}")).unwrap_or_default();
        let tested = match (seen["acceptance"].is_object(), seen["tests"].is_u64()) {
            (true, _) => format!("main acceptance tests{under}"),
            (false, true) => format!("unit and protocol tests{under}"),
            (false, false) => no(),
        };
        vec![built, tested]
    })
}

/// Returns the table for README in Chinese.
pub(crate) fn short_table_in_chinese() -> String {
    let pairs = [
        ("| platform | built | tested |", "| 平台 | 构建 | 测试 |"),
        (" on ", " / "),
        ("each change", "每次改动"),
        ("compiled, never linked", "仅编译，未链接"),
        ("for the tests only", "仅用于测试"),
        ("main acceptance tests", "主要验收测试"),
        ("unit and protocol tests", "单元测试和协议测试"),
        (", under ", "，运行于 "),
    ];
    let table = pairs.iter().fold(short_table(), |table, (english, chinese)| table.replace(english, chinese));
    assert!(!["test", "built", "under"].iter().any(|word| table.contains(word)), "{table}");
    table
}

fn rows(platforms: &[Platform], head: &str, cells: impl Fn(Option<&Value>) -> Vec<String>) -> String {
    let record: Value = serde_json::from_str(RECORD).expect("the record is JSON");
    let row = |platform: &Platform| {
        let cells = cells(platform.target.map(|target| &record[target])).join(" | ");
        format!("| {} | {cells} |\n", platform.name)
    };
    head.to_owned() + &platforms.iter().map(row).collect::<String>()
}

fn no() -> String {
    NO.to_owned()
}

fn executable(seen: &Value) -> String {
    match (seen["bytes"].as_u64(), seen["tests"].is_u64(), seen.is_object()) {
        (Some(bytes), ..) => {
            let linked = if seen["empty_root"].is_u64() { "static, " } else { "" };
            format!("packaged, {linked}{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
        }
        (None, true, _) => "for the tests only".to_owned(),
        (None, false, true) => "compiled, never linked".to_owned(),
        (None, false, false) => no(),
    }
}

/// Tells which hosts have run how many acceptance tests.
fn acceptance(seen: &Value) -> Option<String> {
    let hosts = seen["acceptance"].as_object()?.iter().map(|(host, tests)| format!("{host} ({tests})"));
    Some(hosts.collect::<Vec<_>>().join(", "))
}
