use pando_oracle::*;
fn main() {
    pando_oracle::pg_only();
}
