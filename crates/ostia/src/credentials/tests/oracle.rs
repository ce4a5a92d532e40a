use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::entra::rsa;
use super::*;

fn signing(pem: &str) -> Source {
    let settings = texts(&[
        ("oracle_tenancy", "t"),
        ("oracle_user", "u"),
        ("oracle_fingerprint", "f"),
        ("oracle_private_key", pem),
    ]);
    source(&Auth::Oracle, Giver::Client, &settings)
}

#[test]
fn a_key_of_oracles_signs() {
    let (pem, public) = rsa();
    let credentials = on(Texts::new());
    // As it stands in a file, and as a header has it.
    for pem in [pem.clone(), pem.replace('\n', "\\n")] {
        let wanted = credentials.wanted(signing(&pem), Holder::Client(Owner::Nobody));
        let held = block_on(credentials.get(&wanted)).unwrap();
        let Credential::Oracle(key) = &*held else { panic!("another credential") };
        assert_eq!(key.key_id, "t/u/f");
        let signature = key.signer.sign(b"date: x").unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
        public.verify(b"date: x", &signature).unwrap();
        assert!(public.verify(b"date: y", &signature).is_err());
    }
}

#[test]
fn a_key_that_is_none() {
    for pem in ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "x"] {
        let failure = fetched(&on(Texts::new()), signing(pem), Holder::Operator).unwrap_err();
        assert!(failure.words.contains("no RSA key"), "{failure}");
        assert_eq!(failure.fault(true).status, 401);
    }
}
