//! x
mod config;
fn main() {
    println!(
        "{}",
        config::Config::load(None, std::env::vars(), [])
            .unwrap()
            .explain()
    );
}
