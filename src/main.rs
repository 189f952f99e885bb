//! The `preloaded` program. Everything is in the library; see [`preloaded::cli`].

fn main() -> std::process::ExitCode {
    preloaded::cli::main()
}
