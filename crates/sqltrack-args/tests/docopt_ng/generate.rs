//! Help texts and command lines at random, but the same in every run.

/// A small generator of random numbers (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let scaled = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(scaled).unwrap_or(0) % limit
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }
}

/// A help text, and a command line that may or may not fit it.
pub(crate) struct Pair {
    pub(crate) help: String,
    pub(crate) argv: Vec<String>,
}

/// An option of a help text. Its names decide how usage and command lines write it.
#[derive(Clone)]
struct Described {
    short: Option<&'static str>,
    long: Option<&'static str>,
    value: Option<&'static str>,
}

const fn described(
    short: Option<&'static str>,
    long: Option<&'static str>,
    value: Option<&'static str>,
) -> Described {
    Described { short, long, value }
}

const OPTIONS: [Described; 10] = [
    described(Some("-a"), Some("--all"), None),
    described(Some("-v"), Some("--verbose"), None),
    described(None, Some("--version"), None),
    described(Some("-h"), Some("--help"), None),
    described(Some("-q"), None, None),
    described(Some("-o"), Some("--output"), Some("FILE")),
    described(Some("-n"), None, Some("<n>")),
    described(None, Some("--number"), Some("N")),
    described(None, Some("--out-dir"), Some("<a dir>")),
    described(Some("-l"), Some("--list"), Some("X")),
];
const ARGUMENTS: [&str; 6] = ["<x>", "NAME", "<in-file>", "FILE", "<a dir>", "ÄN"];
const COMMANDS: [&str; 6] = ["go", "add", "set", "-", "--", "x1"];
const UNDESCRIBED: [&str; 5] = ["-x", "-xy", "--extra", "--level=L", "-zzz"];
const VALUES: [&str; 14] =
    ["1", "-2", "a b", "x", "", "--", "-", "-a", "go", "--all", "é", "[1, 2]", "it's", "a=b"];
const DEFAULTS: [&str; 6] = ["1", "a b", "[1, 2]", "", "x] [y", "-1"];

enum Node {
    Argument(&'static str),
    Command(&'static str),
    Undescribed(&'static str),
    Option(Described, bool),
    Shortcut,
    Group(Vec<Node>),
    Optional(Vec<Node>),
    Either(Vec<Node>),
    Repeated(Box<Node>),
}

/// One random pair.
pub(crate) fn pair(random: &mut Random) -> Pair {
    let options: Vec<Described> = OPTIONS.into_iter().filter(|_| random.chance(50)).collect();
    let lines: Vec<Vec<Node>> = (0..1 + random.below(3)).map(|_| sequence(random, &options, 3)).collect();
    let usage = usage(random, &lines);
    let descriptions: String = options.iter().map(|option| description(random, option)).collect();
    let heading = random.pick(&["options:\n", "\nOptions:\n", "\nOther OPTIONS: ", "\n"]);
    let help = if random.chance(10) {
        format!("{}{descriptions}\n{usage}\nThat is all.", heading.trim_start())
    } else {
        format!("Does things.\n\n{usage}{heading}{descriptions}")
    };
    let line = random.below(lines.len());
    let mut argv = Vec::new();
    lines[line].iter().for_each(|node| sample(random, node, &options, &mut argv));
    disturb(random, &mut argv);
    Pair { help, argv }
}

fn usage(random: &mut Random, lines: &[Vec<Node>]) -> String {
    let mut usage = String::from(random.pick(&["Usage: ", "usage:", "USAGE:\n   ", "Its usage: "]));
    for line in lines {
        usage += "  prog";
        for node in line {
            usage += if random.chance(5) { "\n      " } else { " " };
            usage += &written(random, node);
        }
        usage += "\n";
    }
    // Broken texts have to be refused by both.
    if random.chance(3) {
        let at = usage.len() - 1;
        usage.insert_str(at, random.pick(&["]", ")", " [", " (", " usage: x", " options: -a", " |"]));
    }
    usage
}

fn description(random: &mut Random, option: &Described) -> String {
    let sign = random.pick(&[" ", "="]);
    let value = option.value.map(|value| format!("{sign}{value}")).unwrap_or_default();
    let names: Vec<String> =
        [option.short, option.long].into_iter().flatten().map(|name| format!("{name}{value}")).collect();
    let names = names.join(random.pick(&[", ", " "]));
    let gap = if random.chance(4) { " " } else { "  " };
    let default = match random.below(4) {
        0 => format!(" [default: {}]", random.pick(&DEFAULTS)),
        1 => format!("\n        more [DEFAULT: {}].", random.pick(&DEFAULTS)),
        _ => String::new(),
    };
    // A second description of one option is refused, but only where the option is used.
    let again = if random.chance(2) { format!("  {names}\n") } else { String::new() };
    format!("  {names}{gap}Explained{default}\n{again}")
}

fn sequence(random: &mut Random, options: &[Described], depth: usize) -> Vec<Node> {
    (0..1 + random.below(3)).map(|_| node(random, options, depth)).collect()
}

fn node(random: &mut Random, options: &[Described], depth: usize) -> Node {
    let leaf_only = depth == 0;
    match random.below(if leaf_only { 8 } else { 15 }) {
        0 | 1 => Node::Argument(random.pick(&ARGUMENTS)),
        2 | 3 => Node::Command(random.pick(&COMMANDS)),
        4 => Node::Undescribed(random.pick(&UNDESCRIBED)),
        5..=7 if options.is_empty() => Node::Argument("NAME"),
        5..=7 => Node::Option(random.pick(options), random.chance(50)),
        8 => Node::Optional(vec![Node::Shortcut]),
        9 | 10 => Node::Optional(sequence(random, options, depth - 1)),
        11 => Node::Group(sequence(random, options, depth - 1)),
        12 => Node::Either((0..2).map(|_| node(random, options, depth - 1)).collect()),
        13 => Node::Optional(vec![Node::Either(
            (0..2 + random.below(2)).map(|_| Node::Group(sequence(random, options, depth - 1))).collect(),
        )]),
        _ => Node::Repeated(Box::new(repeatable(node(random, options, depth - 1)))),
    }
}

/// Several options in one word cannot repeat: there, docopt-ng fails an assertion (one of the known
/// differences).
fn repeatable(node: Node) -> Node {
    match node {
        Node::Undescribed("-xy" | "-zzz") => Node::Undescribed("-x"),
        node => node,
    }
}

fn written(random: &mut Random, node: &Node) -> String {
    let mut all = |nodes: &[Node], separator: &str| {
        nodes.iter().map(|node| written(random, node)).collect::<Vec<_>>().join(separator)
    };
    match node {
        Node::Argument(name) | Node::Command(name) | Node::Undescribed(name) => (*name).to_owned(),
        Node::Option(option, by_short_name) => option_in_usage(option, *by_short_name),
        Node::Shortcut => "options".to_owned(),
        Node::Group(nodes) => format!("({})", all(nodes, " ")),
        Node::Optional(nodes) => format!("[{}]", all(nodes, " ")),
        Node::Either(nodes) => format!("({})", all(nodes, " | ")),
        Node::Repeated(node) => {
            let written = all(std::slice::from_ref(node), "");
            let dots = if random.chance(50) { "..." } else { " ..." };
            written + dots
        }
    }
}

fn option_in_usage(option: &Described, by_short_name: bool) -> String {
    let short = option.short.filter(|_| by_short_name || option.long.is_none());
    match (short, option.long, option.value) {
        (Some(short), _, Some(value)) => format!("{short} {value}"),
        (Some(short), _, None) => short.to_owned(),
        (None, Some(long), Some(value)) => format!("{long}={value}"),
        (None, Some(long), None) => long.to_owned(),
        (None, None, _) => String::new(),
    }
}

/// Words that a pattern takes.
fn sample(random: &mut Random, node: &Node, options: &[Described], argv: &mut Vec<String>) {
    match node {
        Node::Argument(_) => argv.push(random.pick(&VALUES).to_owned()),
        Node::Command(name) => argv.push((*name).to_owned()),
        Node::Undescribed(word) => argv.push(
            word.split('=').next().unwrap_or_default().to_owned() + {
                if word.contains('=') { "=3" } else { "" }
            },
        ),
        Node::Option(option, _) => give(random, option, argv),
        Node::Shortcut => {
            for option in options.iter().filter(|_| random.chance(30)).cloned().collect::<Vec<_>>() {
                give(random, &option, argv);
            }
        }
        Node::Group(nodes) => nodes.iter().for_each(|node| sample(random, node, options, argv)),
        Node::Optional(nodes) => {
            for node in nodes {
                if random.chance(60) {
                    sample(random, node, options, argv);
                }
            }
        }
        Node::Either(nodes) => {
            let choice = random.below(nodes.len());
            sample(random, &nodes[choice], options, argv);
        }
        Node::Repeated(node) => (0..1 + random.below(3)).for_each(|_| sample(random, node, options, argv)),
    }
}

fn give(random: &mut Random, option: &Described, argv: &mut Vec<String>) {
    let value = option.value.map(|_| random.pick(&VALUES));
    let short = option.short.filter(|_| option.long.is_none() || random.chance(50));
    match (short, option.long, value) {
        (Some(short), _, Some(value)) if random.chance(50) => argv.push(format!("{short}{value}")),
        (Some(name), _, Some(value)) => argv.extend([name.to_owned(), value.to_owned()]),
        (None, Some(long), Some(value)) if random.chance(50) => argv.push(format!("{long}={value}")),
        (None, Some(long), Some(value)) => argv.extend([long.to_owned(), value.to_owned()]),
        (Some(name), _, None) => argv.push(name.to_owned()),
        (None, Some(long), None) => {
            let length = if random.chance(20) { 3 + random.below(long.len() - 2) } else { long.len() };
            argv.push(long[..length].to_owned());
        }
        (None, None, _) => {}
    }
}

/// Makes a command line differ from what the pattern asks for, more often than not.
fn disturb(random: &mut Random, argv: &mut Vec<String>) {
    for _ in 0..random.below(3) {
        let at = random.below(argv.len() + 1);
        match random.below(5) {
            0 if at < argv.len() => drop(argv.remove(at)),
            1 if at < argv.len() => argv.insert(at, argv[at].clone()),
            2 if !argv.is_empty() => {
                let (last, other) = (argv.len() - 1, random.below(argv.len()));
                argv.swap(at.min(last), other);
            }
            3 => argv.insert(at, random.pick(&VALUES).to_owned()),
            4 => argv
                .insert(at, (random.pick(&["-v", "--verb", "-av", "--", "-x", "--nope", "-n"])).to_owned()),
            _ => {}
        }
    }
}

/// A text that may look like a number or like JSON.
pub(crate) fn text(random: &mut Random) -> String {
    const PARTS: [&str; 30] = [
        "0", "1", "7", "12", "_", ".", "e", "E", "+", "-", "j", "J", "(", ")", " ", "inf", "nan", "NaN",
        "Infinity", "[", "]", ",", "{", "}", ":", "\"", "a", "true", "null", "٣",
    ];
    (0..1 + random.below(7)).map(|_| random.pick(&PARTS)).collect()
}
