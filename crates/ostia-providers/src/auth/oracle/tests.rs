#![allow(clippy::unwrap_used)]
//! The worked examples of Oracle's page, with the signatures that it shows. Their key has 1,024 bits, which no library signs with any
//! more: what is signed has to be what they signed, letter by letter.

use std::time::{Duration, SystemTime};

use super::*;
use crate::auth::{Auth, Credential, RsaSha256, sign_with};

const KEY_ID: &str = "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f15p2b2m2yt2j6rx32uzr4h25vqstifsfdsq/ocid1.user.oc1..aaaaaaaat5nvwcna5j6aqzjcaty5eqbb6qt2jvpkanghtgdaqedqw3rynjq/20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34";
/// Thu, 05 Jan 2014 21:31:40 GMT, as the page has it; it was a Sunday.
const AT: u64 = 1_388_957_500;
const GET: &str = "/20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa&displayName=TeamXInstances&volumeId=ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q";
const BODY: &str = "{\n    \"compartmentId\": \"ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa\",\n    \"instanceId\": \"ocid1.instance.oc1.phx.abuw4ljrlsfiqw6vzzxb43vyypt4pkodawglp3wqxjqofakrwvou52gb6s5a\",\n    \"volumeId\": \"ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q\"\n}";

/// A key that signs this text and nothing else, with this signature.
fn key(text: &str, signature: &str) -> Credential {
    let (text, signature) = (text.to_owned(), BASE64_STANDARD.decode(signature).unwrap());
    let sign = move |asked: &[u8]| {
        assert_eq!(std::str::from_utf8(asked).unwrap(), text);
        Some(signature.clone())
    };
    Credential::Oracle(OracleKey { key_id: KEY_ID.to_owned(), signer: RsaSha256::new(sign) })
}

fn signing(payload: Payload<'_>) -> Signing<'_> {
    Signing { region: None, time: SystemTime::UNIX_EPOCH + Duration::from_secs(AT), payload }
}

fn request(method: Method, path: &str) -> Request<()> {
    let request =
        Request::builder().method(method).uri(path).header(HOST, "iaas.us-phoenix-1.oraclecloud.com");
    // What a client had is not sent on.
    request.header("x-date", "x").header("authorization", "Bearer of-the-clients").body(()).unwrap()
}

/// The page says Thursday of that Sunday.
fn dated(text: &str) -> String {
    text.replace("Thu, 05 Jan 2014", "Sun, 05 Jan 2014")
}

#[test]
fn the_pages_get() {
    let text = dated(&format!(
        "date: Thu, 05 Jan 2014 21:31:40 GMT\n(request-target): get {GET}\nhost: iaas.us-phoenix-1.oraclecloud.com"
    ));
    let signature = "GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivujVXlpbKLjMPeDUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8fmTZVwKZOKHYPtrLJIJQHJjNvxFWeHQjMaR7M=";
    let mut request = request(Method::GET, GET);
    sign_with(&Auth::Oracle, &key(&text, signature), signing(Payload::Bytes(b"")), &mut request).unwrap();
    let shown = request.headers()[AUTHORIZATION].to_str().unwrap();
    assert_eq!(
        shown,
        format!(
            "Signature version=\"1\",keyId=\"{KEY_ID}\",algorithm=\"rsa-sha256\",headers=\"date (request-target) host\",signature=\"{signature}\""
        )
    );
    assert!(request.headers()[AUTHORIZATION].is_sensitive() && !request.headers().contains_key("x-date"));
}

#[test]
fn the_pages_post() {
    let text = dated(
        "date: Thu, 05 Jan 2014 21:31:40 GMT\n(request-target): post /20160918/volumeAttachments\nhost: iaas.us-phoenix-1.oraclecloud.com\ncontent-length: 316\ncontent-type: application/json\nx-content-sha256: V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0=",
    );
    let signature = "Mje8vIDPlwIHmD/cTDwRxE7HaAvBg16JnVcsuqaNRim23fFPgQfLoOOxae6WqKb1uPjYEl0qIdazWaBy/Ml8DRhqlocMwoSXv0fbukP8J5N80LCmzT/FFBvIvTB91XuXI3hYfP9Zt1l7S6ieVadHUfqBedWH0itrtPJBgKmrWso=";
    let mut request = request(Method::POST, "/20160918/volumeAttachments");
    let key = key(&text, signature);
    sign_with(&Auth::Oracle, &key, signing(Payload::Bytes(BODY.as_bytes())), &mut request).unwrap();
    let headers = request.headers();
    assert_eq!(headers["x-content-sha256"], "V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0=");
    assert_eq!(
        (&headers[CONTENT_LENGTH], &headers[CONTENT_TYPE]),
        (&HeaderValue::from(316), &HeaderValue::from_static("application/json"))
    );
    let shown = headers[AUTHORIZATION].to_str().unwrap();
    assert!(
        shown.contains("headers=\"date (request-target) host content-length content-type x-content-sha256\"")
    );
    assert!(shown.ends_with(&format!("signature=\"{signature}\"")));
}

#[test]
fn what_cannot_be_signed() {
    let key = |sign: fn(&[u8]) -> Option<Vec<u8>>| {
        Credential::Oracle(OracleKey { key_id: "t/u/f".into(), signer: RsaSha256::new(sign) })
    };
    let status = |auth: &Auth, credential: &Credential, payload: Payload<'_>| {
        let mut request = request(Method::POST, "/x");
        sign_with(auth, credential, signing(payload), &mut request).unwrap_err().status
    };
    let good = key(|_| Some(vec![1]));
    assert_eq!(status(&Auth::Oracle, &good, Payload::Streamed), 400);
    assert_eq!(status(&Auth::Bearer, &good, Payload::Bytes(b"")), 400);
    assert_eq!(status(&Auth::Oracle, &key(|_| None), Payload::Bytes(b"")), 401);
    assert!(!format!("{good:?}").contains("fn"), "{good:?}");
    // A key of the service's own is a bearer.
    let mut request = request(Method::POST, "/x");
    sign_with(&Auth::Oracle, &Credential::Key("sk".into()), signing(Payload::Streamed), &mut request)
        .unwrap();
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer sk");
}
