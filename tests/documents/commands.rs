use super::{all, code_spans};
use crate::support::countersign;

/// The simple commands of a line of shell, a list of words each. Quotes hold a word together; what `$(…)` runs is a
/// command, too.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c == '#' && word.is_none() => break,
            None if c.is_whitespace() => commands.last_mut().unwrap().extend(word.take()),
            None if "|&;()<>".contains(c) => {
                commands.last_mut().unwrap().extend(word.take());
                commands.push(Vec::new());
            }
            None => word.get_or_insert_default().push(c),
        }
    }
    commands.last_mut().unwrap().extend(word);
    commands
}

/// The arguments for `countersign` of each of its uses in a line.
fn uses(line: &str) -> Vec<Vec<String>> {
    let is_setting = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let mut uses = Vec::new();
    for command in simple_commands(line.trim_start().trim_start_matches("ExecStart=")) {
        let mut words = command.as_slice();
        // The five fields of a line for cron.
        if let [_, _, day, month, weekday, rest @ ..] = words
            && [day, month, weekday].iter().all(|field| *field == "*")
        {
            words = rest;
        }
        loop {
            words = match words {
                [sudo, option, _, rest @ ..] if sudo == "sudo" && option == "-u" => rest,
                [sudo, rest @ ..] if sudo == "sudo" => rest,
                [first, rest @ ..] if is_setting(first) => rest,
                _ => break,
            };
        }
        if let [program, arguments @ ..] = words
            && program == "countersign"
        {
            uses.push(arguments.to_vec());
        }
    }
    uses
}

/// The complaint of the command line about these arguments, if it has one. `--help` at the end lets nothing happen.
fn complaint(arguments: &[String]) -> Option<String> {
    let output = countersign().args(arguments).arg("--help").output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn every_command_in_the_documents_is_understood() {
    let mut lines = Vec::new();
    for document in all() {
        for block in document.blocks() {
            let is_typed = |line: &&str| block.language != "console" || line.starts_with("$ ");
            let typed = block.text.lines().filter(is_typed);
            lines.extend(typed.map(|line| (block.place.clone(), line.trim_start_matches("$ ").to_owned())));
        }
        let prose = document.prose();
        // A word in capitals stands for what a person fills in.
        let is_whole = |span: &&str| {
            !span.split(' ').any(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase()))
        };
        let spans = code_spans(&prose).into_iter().filter(is_whole);
        lines.extend(spans.map(|span| (document.path.display().to_string(), span.to_owned())));
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for (place, line) in lines {
        for arguments in uses(&line) {
            count += 1;
            wrong.extend(complaint(&arguments).map(|complaint| format!("{place}: {line}\n{complaint}")));
        }
    }
    assert!(wrong.is_empty() && count > 40, "{count} commands; not understood: {wrong:#?}");
}

#[test]
fn every_example_in_a_help_text_is_understood() {
    let help = |arguments: &[&str]| {
        String::from_utf8(countersign().args(arguments).arg("--help").output().unwrap().stdout).unwrap()
    };
    let top = help(&[]);
    let commands =
        top.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = commands
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty());
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in names.filter(|name| *name != "help") {
        let help = help(&[name]);
        let examples = help.split_once("Example").map_or("", |(_, examples)| examples);
        for line in examples.lines().map(|line| line.trim_start_matches(['s', ':', ' '])) {
            for arguments in uses(line) {
                count += 1;
                wrong.extend(complaint(&arguments).map(|complaint| format!("{name}: {line}\n{complaint}")));
            }
        }
    }
    assert!(wrong.is_empty() && count > 20, "{count} examples; not understood: {wrong:#?}");
}
