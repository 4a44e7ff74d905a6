//! What Claude Code may use while it may only read.
//!
//! Its own plan mode is not enough in a two-way conversation (all seen with 2.1.197): it *asks* its host
//! instead of refusing, a rule like `"allow": ["Bash"]` in the user's settings lets the shell write
//! without a question, and a process that was started with `--dangerously-skip-permissions` writes in
//! plan mode as in any other. So every tool call passes through a hook of ours, which comes before all
//! of that and lets through what is known to read, and nothing else.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::stream::string;

/// Tools that change nothing outside the conversation. Whatever a subagent uses comes here, too. `Skill`
/// is none of them: a skill's text may hold commands which Claude Code runs while it reads it, without
/// asking anybody.
const READING: &[&str] = &[
    "Read",
    "NotebookRead",
    "Glob",
    "Grep",
    "LS",
    "WebFetch",
    "WebSearch",
    "ToolSearch",
    "ListMcpResourcesTool",
    "ReadMcpResourceTool",
    "TodoWrite",
    "TaskCreate",
    "TaskGet",
    "TaskList",
    "TaskUpdate",
    "TaskOutput",
    "TaskStop",
    "BashOutput",
    "KillShell",
    "Task",
    "Agent",
    "AskUserQuestion",
    "EnterPlanMode",
    "ExitPlanMode",
    "SendMessage",
    "ReportFindings",
    "StructuredOutput",
];

/// Why a tool must not be used while only reading is allowed, for the model; `None` when it may.
/// `plans` is where Claude Code keeps the plans that it writes in plan mode.
pub(super) fn refusal(tool: &str, input: &Value, plans: Option<&Path>) -> Option<String> {
    let reads = match tool {
        "Bash" => only_reads(string(input, "/command")),
        "Write" | "Edit" | "MultiEdit" => {
            let path = Path::new(string(input, "/file_path"));
            plans.is_some_and(|plans| is_plan(path, plans))
        }
        tool => READING.contains(&tool),
    };
    (!reads).then(|| {
        format!(
            "{tool} is not allowed: this conversation is read-only. Do not try another way to write; \
             read what you need, and say what you would change."
        )
    })
}

/// Where Claude Code keeps plans, in this environment.
pub(super) fn plans(environment: &crate::Environment) -> Option<PathBuf> {
    let home = environment
        .get("CLAUDE_CONFIG_DIR")
        .map(PathBuf::from)
        .or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".claude")))?;
    Some(home.join("plans"))
}

fn is_plan(path: &Path, plans: &Path) -> bool {
    path.starts_with(plans)
        && path.extension().is_some_and(|extension| extension == "md")
        && !path.components().any(|part| part == Component::ParentDir)
}

/// Whether a command line is a chain of programs that only read. Anything that is not understood does
/// not: substitutions, redirections, variables, sub-shells, several lines.
fn only_reads(command: &str) -> bool {
    let harmless = |c: char| {
        c.is_alphanumeric()
            || matches!(c, ' ' | '\'' | '"' | '|' | '&' | ';' | '_' | '-' | '.')
            || matches!(c, '/' | ',' | ':' | '=' | '+' | '@' | '%' | '^' | '*' | '?' | '[' | ']')
    };
    if command.trim().is_empty() || !command.chars().all(harmless) {
        return false;
    }
    // A lone `&` puts a program into the background, which is no way to read.
    let chain = command.replace("&&", ";").replace("||", ";").replace('|', ";");
    !chain.contains('&') && chain.split(';').all(program_reads)
}

fn program_reads(command: &str) -> bool {
    // Quotes only matter where they could hide an option: without them it is seen.
    let plain = command.replace(['\'', '"'], "");
    let mut words = plain.split_whitespace();
    let Some(program) = words.next() else { return false };
    let words: Vec<&str> = words.collect();
    let has = |bad: &[&str]| words.iter().any(|word| bad.iter().any(|bad| word.starts_with(bad)));
    // A file may be called `--pre=sh`, and a pattern that finds it makes an option of it.
    let options = command.split_whitespace().any(may_become_option);
    match program {
        "ls" | "cat" | "head" | "tail" | "wc" | "pwd" | "echo" | "stat" | "du" | "df" | "true"
        | "basename" | "dirname" | "realpath" | "readlink" | "which" | "nl" | "cut" | "tr"
        | "grep" | "egrep" | "fgrep" => true,
        // Its preprocessor is any program.
        "rg" => !options && !has(&["--pre", "--hostname-bin"]),
        "find" => !options && !has(&["-exec", "-ok", "-delete", "-fprint", "-fls", "-fprintf"]),
        "git" => !options && git_reads(&words),
        _ => false,
    }
}

/// Whether the shell may put the name of a file in the place of this word that begins with `-`.
fn may_become_option(word: &str) -> bool {
    let pattern = |c: char| matches!(c, '*' | '?' | '[');
    let quote = |c: char| matches!(c, '\'' | '"');
    let plain = word.replace(quote, "");
    if let Some(option) = plain.strip_prefix('-') {
        // Behind `=` it can only become another value of the same option.
        return option.split('=').next().is_some_and(|name| name.contains(pattern));
    }
    let is_quoted = word.strip_prefix(quote).is_some_and(|rest| rest.starts_with(pattern));
    plain.starts_with(pattern) && !is_quoted
}

fn git_reads(words: &[&str]) -> bool {
    let Some((command, rest)) = words.split_first() else { return false };
    let reads = ["status", "log", "show", "diff", "blame", "rev-parse", "ls-files", "shortlog"];
    // Git takes long options shortened: `--outp`.
    let writes = |word: &&str| {
        ["--ou", "-o", "--ext", "--textconv", "--exec", "-O", "--open"]
            .iter()
            .any(|bad| word.starts_with(bad))
    };
    reads.contains(command) && !rest.iter().any(writes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_commands_that_are_known_to_read_do() {
        let check =
            |command: &str, reads: bool| assert_eq!(only_reads(command), reads, "{command}");
        for command in [
            "ls -la",
            "cat a.txt | wc -l",
            "git status && git log --oneline -5",
            "rg 'fn main' src",
            "find . -name '*.rs' | head -20",
            "grep -rn todo .; pwd",
            "git diff HEAD^ -- src/a.rs",
            "git show HEAD:src/a.rs || echo none",
            "cat *.md",
            "rg --glob='*.rs' main src/*",
            "rg -g \"*.rs\" main",
        ] {
            check(command, true);
        }
        for command in [
            "",
            "echo hi > a.txt",
            "echo hi >> a",
            "touch a",
            "cat a | tee b",
            "ls; rm a",
            "ls && touch a",
            "echo $(touch a)",
            "echo `touch a`",
            "ls\ntouch a",
            "touch a & ls",
            "find . -delete",
            "find . -exec touch a {} +",
            "find . '-exec' touch a",
            "git -c core.pager=x log",
            "git commit",
            "git log --output=a",
            "git diff --out=a",
            "git diff -oa",
            "rg --pre=touch x",
            "rg --pr\"\"e x y",
            "sort -o a b",
            "rg main *",
            "rg main \"\"*",
            "rg main -*",
            "rg main '-'[-]pre=sh",
            "find ?delete",
            "git diff HEAD *",
            "sed -i s/a/b/ c",
            "awk x",
            "env touch a",
            "A=b touch c",
            "bash -c ls",
            "xargs touch",
            "python3 -c x",
            "cat <(touch a)",
            "(touch a)",
            "{ touch a; }",
            "ls \\\n",
            "! ls",
            "git diff --ext-diff",
            "$X",
            "./ls",
            "/tmp/ls",
        ] {
            check(command, false);
        }
    }

    #[test]
    fn tools_that_write_are_refused() {
        let plans = Path::new("/home/user/.claude/plans");
        let check = |tool: &str, input: Value, allowed: bool| {
            assert_eq!(refusal(tool, &input, Some(plans)).is_none(), allowed, "{tool} {input}");
        };
        check("Read", json!({ "file_path": "/etc/hosts" }), true);
        check("Write", json!({ "file_path": "/home/user/project/a" }), false);
        check("Write", json!({ "file_path": "/home/user/.claude/plans/a.md" }), true);
        check("Write", json!({ "file_path": "/home/user/.claude/plans/../a.md" }), false);
        check("Edit", json!({}), false);
        check("NotebookEdit", json!({}), false);
        check("mcp__files__write", json!({}), false);
        check("SomethingNew", json!({}), false);
        check("Skill", json!({ "skill": "anything" }), false);
        check("Bash", json!({ "command": "ls" }), true);
        check("Bash", json!({ "command": "ls > a" }), false);
        check("Bash", json!({}), false);
    }
}
