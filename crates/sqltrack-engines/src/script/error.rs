//! Why a script cannot be run, each with the line to look at.

/// Everything that splitting or checking a script can fail with. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A string, quoted identifier, comment or dollar quote runs to the end of the text.
    #[error("{}: the {what} that starts here is never closed; close it with `{closing}`", place(.script.as_deref(), *.line))]
    Unterminated {
        /// The script, where it has a name.
        script: Option<String>,
        /// Where it starts.
        line: usize,
        /// What is left open, such as `string`.
        what: &'static str,
        /// What would have closed it, such as `*/`.
        closing: String,
    },
    /// The body of a routine, trigger or rule runs to the end of the text.
    #[error("{}: the body that starts here is never closed; close it with `{closing}`", place(.script.as_deref(), *.line))]
    UnterminatedBody {
        /// The script, where it has a name.
        script: Option<String>,
        /// Where the body starts.
        line: usize,
        /// `END` or `)`.
        closing: &'static str,
    },
    /// The text holds a NUL character, where databases would stop reading.
    #[error("{}: there is a NUL character here; SQL text cannot hold one, remove it", place(.script.as_deref(), *.line))]
    Nul {
        /// The script, where it has a name.
        script: Option<String>,
        /// Where it is.
        line: usize,
    },
    /// A command of a database's shell, which the database itself does not understand.
    #[error("{}: `{command}` is a command of the database's shell; only SQL can be run here, remove it", place(.script.as_deref(), *.line))]
    ShellCommand {
        /// The script, where it has a name.
        script: Option<String>,
        /// Where the command is.
        line: usize,
        /// The command, to the end of its line.
        command: String,
    },
    /// `COPY … FROM STDIN` or `COPY … TO STDOUT`, which transfer data through the client.
    #[error("{}: `COPY` cannot use the client's input or output here; write INSERT statements or use psql", place(.script.as_deref(), *.line))]
    CopyThroughClient {
        /// The script, where it has a name.
        script: Option<String>,
        /// Where the statement starts.
        line: usize,
    },
    /// Transaction control other than one transaction around the whole script.
    #[error(
        "{}: `{statement}` is not allowed; a script is one transaction, with or without BEGIN and END around the whole of it",
        place(Some(.script), *.line)
    )]
    TransactionControl {
        /// The script.
        script: String,
        /// Where the statement starts.
        line: usize,
        /// The statement.
        statement: String,
    },
    /// Transaction control in a script that asks to run outside of a transaction.
    #[error(
        "{}: `{statement}` is not allowed in a `-- no-transaction` script, whose statements run one by one; remove it, or the first line",
        place(Some(.script), *.line)
    )]
    TransactionControlOutside {
        /// The script.
        script: String,
        /// Where the statement starts.
        line: usize,
        /// The statement.
        statement: String,
    },
    /// The script opens a transaction and does not close it.
    #[error("{}: `{statement}` has no END; end the script with `END;`, or remove it", place(Some(.script), *.line))]
    BeginWithoutEnd {
        /// The script.
        script: String,
        /// Where the transaction is opened.
        line: usize,
        /// The statement.
        statement: String,
    },
    /// The script closes a transaction that it does not open.
    #[error("{}: `{statement}` has no BEGIN; start the script with `BEGIN;`, or remove it", place(Some(.script), *.line))]
    EndWithoutBegin {
        /// The script.
        script: String,
        /// Where the transaction is closed.
        line: usize,
        /// The statement.
        statement: String,
    },
}

impl ScriptError {
    /// The line to look at, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::Unterminated { line, .. }
            | Self::UnterminatedBody { line, .. }
            | Self::Nul { line, .. }
            | Self::ShellCommand { line, .. }
            | Self::CopyThroughClient { line, .. }
            | Self::TransactionControl { line, .. }
            | Self::TransactionControlOutside { line, .. }
            | Self::BeginWithoutEnd { line, .. }
            | Self::EndWithoutBegin { line, .. } => *line,
        }
    }

    /// The same error, naming the script that it was found in.
    #[must_use]
    pub(super) fn in_script(mut self, name: &str) -> Self {
        match &mut self {
            Self::Unterminated { script, .. }
            | Self::UnterminatedBody { script, .. }
            | Self::Nul { script, .. }
            | Self::ShellCommand { script, .. }
            | Self::CopyThroughClient { script, .. } => *script = Some(name.to_owned()),
            Self::TransactionControl { script, .. }
            | Self::TransactionControlOutside { script, .. }
            | Self::BeginWithoutEnd { script, .. }
            | Self::EndWithoutBegin { script, .. } => name.clone_into(script),
        }
        self
    }
}

fn place(script: Option<&str>, line: usize) -> String {
    match script {
        Some(script) => format!("`{script}`, line {line}"),
        None => format!("line {line}"),
    }
}
