//! The `ripen` command: sub-commands, nothing else.

fn main() -> std::process::ExitCode {
    ripen::cli::main()
}
