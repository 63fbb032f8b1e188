fn main() {
    // The migrations are compiled into the binary, which must notice a new one.
    println!("cargo::rerun-if-changed=migrations");
}
