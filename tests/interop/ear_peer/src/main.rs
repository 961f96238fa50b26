// SPDX-License-Identifier: Apache-2.0
// Reads an EAR with Veraison's own Rust library (the crate `ear`): ear_peer JWT-FILE JWK-FILE.
// Prints the nonce and a line for each submod; fails when the library does not take the token.
use std::{env, fs, process};

fn main() {
    let args: Vec<String> = env::args().collect();
    let token = fs::read_to_string(&args[1]).expect("token");
    let key = fs::read(&args[2]).expect("key");
    match ear::Ear::from_jwt_jwk(token.trim(), ear::Algorithm::ES256, &key) {
        Ok(ear) => {
            println!("profile {}", ear.profile);
            println!("nonce {}", serde_json::to_value(&ear.nonce).unwrap());
            for (name, m) in &ear.submods {
                println!("{} {}", name, serde_json::to_value(m).unwrap()["ear.status"]);
            }
        }
        Err(e) => {
            eprintln!("{e:?}");
            process::exit(1);
        }
    }
}
