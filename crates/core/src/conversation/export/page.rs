//! The HTML page: escaped, without scripts, without anything loaded, dark or light as its reader has it.

use std::fmt::Write as _;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Parser, Tag, TagEnd};

use super::{Head, LINES, answered, asked, change_word, end, tool_facts};
use crate::conversation::{Body, Entry, Image, TodoState, Tool, ToolState};
use crate::diff::{self, Kind as Changed};
use crate::highlight::{self, Kind, Language};
use crate::{markdown, text};

const STYLE: &str = include_str!("page.css");

/// A conversation as one HTML page. `picture` says what an image's file holds, in base64; of one about which
/// it says nothing there is the name.
pub fn html<'a>(
    head: &Head,
    entries: impl IntoIterator<Item = &'a Entry>,
    mut picture: impl FnMut(&Image) -> Option<String>,
) -> String {
    let title = escaped(&text::clean(&head.title, 300));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"dark light\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{title}</h1>\n"
    );
    if !head.facts.is_empty() {
        out.push_str("<dl>");
        for (name, value) in &head.facts {
            let (name, value) = (text::clean(name, 80), text::clean(value, 500));
            let _ = write!(out, "<dt>{}</dt><dd>{}</dd>", escaped(&name), escaped(&value));
        }
        out.push_str("</dl>\n");
    }
    out.push_str("</header>\n<main>\n");
    for entry in entries {
        write_entry(&mut out, entry, &mut picture);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// The media type of an image, if it is one that a page may hold.
fn media(image: &Image) -> Option<&'static str> {
    let known = ["image/png", "image/jpeg", "image/gif", "image/webp"];
    known.into_iter().find(|media| *media == image.media)
}

fn write_entry(out: &mut String, entry: &Entry, picture: &mut dyn FnMut(&Image) -> Option<String>) {
    match &entry.body {
        Body::Prompt(prompt) => {
            let _ =
                write!(out, "<section class=\"prompt\"><p>{}</p>", escaped(&visible(&prompt.text)));
            for image in &prompt.images {
                let name = image.path.file_name().unwrap_or_default().to_string_lossy();
                let name = escaped(&text::clean(&name, 200));
                let _ = match picture(image).zip(media(image)) {
                    Some((data, media)) => write!(
                        out,
                        "<p><img src=\"data:{media};base64,{}\" alt=\"{name}\"></p>",
                        escaped(&data)
                    ),
                    None => write!(out, "<p class=\"dim\">image: {name}</p>"),
                };
            }
            out.push_str("</section>\n");
        }
        Body::Text(words) => {
            let _ = writeln!(out, "<section class=\"answer\">\n{}</section>", rendered(words));
        }
        Body::Thinking(words) => {
            let _ = writeln!(
                out,
                "<details class=\"thinking\"><summary>Thinking</summary>\n{}</details>",
                rendered(words)
            );
        }
        Body::Tool(tool) => write_tool(out, tool),
        Body::Todo(todos) => {
            out.push_str("<ul class=\"todo\">");
            for todo in todos {
                let class = match todo.state {
                    TodoState::Open => "open",
                    TodoState::Doing => "doing",
                    TodoState::Done => "done",
                };
                let words = escaped(&text::clean(&todo.text, 500));
                let _ = write!(out, "<li class=\"{class}\">{words}</li>");
            }
            out.push_str("</ul>\n");
        }
        Body::Request { request, answer } => {
            let _ = writeln!(
                out,
                "<p class=\"note\">{} <code>{}</code></p>",
                escaped(&answered(answer.as_ref())),
                escaped(&asked(&request.ask))
            );
        }
        Body::Notice(words) => note(out, "note", &text::clean(words, 2000)),
        Body::Failed(failure) => note(out, "failed", &text::clean(&failure.message, 2000)),
        Body::Ended(ended) => note(out, "end", &end(ended)),
        Body::Raw(line) => {
            let _ = writeln!(
                out,
                "<details class=\"raw\"><summary>Not understood</summary><pre>{}</pre></details>",
                escaped(&visible(line))
            );
        }
    }
}

fn note(out: &mut String, class: &str, words: &str) {
    let _ = writeln!(out, "<p class=\"{class}\">{}</p>", escaped(words));
}

fn write_tool(out: &mut String, tool: &Tool) {
    let class = match tool.state {
        ToolState::Done => "done",
        ToolState::Failed => "failed",
        ToolState::Running | ToolState::Denied | ToolState::Cut => "cut",
    };
    let open = if tool.changes.is_empty() { "" } else { " open" };
    let _ = write!(
        out,
        "<details class=\"tool {class}\"{open}><summary><b>{}</b> <code>{}</code> <span>{}</span></summary>",
        escaped(&text::clean(&tool.name, 100)),
        escaped(&text::clean(&tool.title, 2000)),
        escaped(&tool_facts(tool).join(" · "))
    );
    for change in &tool.changes {
        let path = escaped(&text::clean(&change.path, 1000));
        let _ =
            write!(out, "<p class=\"path\">{} <code>{path}</code></p>", change_word(change.kind));
        if !change.diff.is_empty() {
            write_diff(out, &change.diff);
        }
    }
    let (lines, skipped) = text::printed(&tool.output, LINES);
    if !lines.is_empty() {
        out.push_str("<pre>");
        if skipped > 0 {
            let _ = writeln!(out, "… {skipped} lines before");
        }
        out.push_str(&escaped(&lines.join("\n")));
        out.push_str("</pre>");
    }
    out.push_str("</details>\n");
}

fn write_diff(out: &mut String, diff: &str) {
    out.push_str("<pre class=\"diff\">");
    for line in diff::lines(diff) {
        let (class, sign) = match line.kind {
            Changed::Same => ("same", ' '),
            Changed::Added => ("added", '+'),
            Changed::Removed => ("removed", '−'),
            Changed::Gap => ("gap", '⋯'),
        };
        let number = line.number.map(|number| number.to_string()).unwrap_or_default();
        let words = escaped(&visible(&line.text));
        let _ = write!(out, "<span class=\"{class}\"><i>{number:>5}</i> {sign} {words}\n</span>");
    }
    out.push_str("</pre>");
}

/// Markdown as HTML in which nothing but the markdown is markup.
fn rendered(words: &str) -> String {
    let mut events = Vec::new();
    let mut code: Option<(String, String)> = None;
    // How many links and images are open that lead nowhere one may go.
    let mut dead = Vec::new();
    for event in Parser::new_ext(words, markdown::options()) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',', '{']).next().map(str::to_owned)
                    }
                    CodeBlockKind::Indented => None,
                };
                code = Some((language.unwrap_or_default(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((language, text)) = code.take() {
                    events.push(Event::Html(CowStr::from(colored(&language, &text))));
                }
            }
            Event::Text(text) if code.is_some() => {
                if let Some((_, code)) = &mut code {
                    code.push_str(&text);
                }
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let leads = leads(&dest_url);
                dead.push(!leads);
                if leads {
                    events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
                }
            }
            Event::End(TagEnd::Link) => {
                if !dead.pop().unwrap_or(true) {
                    events.push(Event::End(TagEnd::Link));
                }
            }
            // An image would be loaded: what it shows has to do.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Html(text) | Event::InlineHtml(text) => {
                events.push(Event::Text(visible(&text).into()));
            }
            Event::Start(Tag::HtmlBlock) => events.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => events.push(Event::End(TagEnd::Paragraph)),
            Event::Text(text) => events.push(Event::Text(visible(&text).into())),
            Event::Code(text) => events.push(Event::Code(visible(&text).into())),
            event => events.push(event),
        }
    }
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events.into_iter());
    out
}

/// Whether an address may be followed from an exported page.
fn leads(address: &str) -> bool {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "mailto"))
}

fn colored(language: &str, code: &str) -> String {
    let code = visible(code);
    let code = code.trim_end_matches('\n');
    let mut out = String::from("<pre>");
    let language = Language::named(language);
    let pieces = language.map(|language| highlight::lines(language, code)).unwrap_or_default();
    for (at, line) in code.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let mut end = 0;
        for (range, kind) in pieces.get(at).into_iter().flatten() {
            let class = match kind {
                Kind::Comment => "c",
                Kind::String | Kind::Added => "s",
                Kind::Number | Kind::Constant => "n",
                Kind::Keyword => "k",
                Kind::Type => "t",
                Kind::Function | Kind::Name => "f",
                Kind::Removed => "r",
            };
            out.push_str(&escaped(&line[end..range.start]));
            let _ = write!(out, "<span class=\"{class}\">{}</span>", escaped(&line[range.clone()]));
            end = range.end;
        }
        out.push_str(&escaped(&line[end..]));
    }
    out.push_str("</pre>\n");
    out
}

/// A text without characters that do something, but for line breaks and tabs.
fn visible(words: &str) -> String {
    words.chars().filter(|c| matches!(c, '\n' | '\t') || !text::is_harmful(*c)).collect()
}

fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + words.len() / 8);
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
