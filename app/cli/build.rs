//! Links what moorage-winfsp asks of every program that has it: an argument of the linker reaches only the package whose
//! build script prints it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Ok(argument) = std::env::var("DEP_WINFSP_IMPORT_ARGUMENT") {
        println!("cargo:rustc-link-arg={argument}");
    }
}
