//! cty's msgpack encoding of values.

use std::collections::BTreeMap;

use rmp::Marker;
use rmp::decode::{self, RmpRead as _};
use rmp::encode;

use super::{DecodeError, EncodeError, Place, PlaceStep, name};
use crate::terraform::{Number, Type, Value};

/// The extension type of an unknown value. Its data has no meaning.
const UNKNOWN: i8 = 0;
/// The extension type of an unknown value with refinements, such as that it is not null.
const REFINED_UNKNOWN: i8 = 12;

/// Reads a value of type `ty`.
///
/// # Errors
///
/// For anything but exactly one value of that type: an unknown or a missing attribute, bytes after the value, …
pub fn from_msgpack(bytes: &[u8], ty: &Type) -> Result<Value, DecodeError> {
    let mut reader = bytes;
    let value = read(&mut reader, ty, &Place::ROOT)?;
    if reader.is_empty() { Ok(value) } else { Err(Place::ROOT.error("there are bytes after the value")) }
}

fn read(reader: &mut &[u8], ty: &Type, place: &Place<'_>) -> Result<Value, DecodeError> {
    match peek(reader, place)? {
        Marker::Null => {
            take(reader, 1, place)?;
            return Ok(Value::Null);
        }
        Marker::FixExt1
        | Marker::FixExt2
        | Marker::FixExt4
        | Marker::FixExt8
        | Marker::FixExt16
        | Marker::Ext8
        | Marker::Ext16
        | Marker::Ext32 => return read_unknown(reader, place),
        _ => {}
    }
    let expected = || place.error(format!("{} was expected", name(ty)));
    match ty {
        Type::Bool => decode::read_bool(reader).map(Value::Bool).map_err(|_| expected()),
        Type::Number => read_number(reader, place).map(Value::Number),
        Type::String => read_string(reader).map(Value::String).ok_or_else(expected),
        Type::Dynamic => {
            let parts = decode::read_array_len(reader).map_err(|_| expected())?;
            if parts != 2 {
                return Err(expected());
            }
            let ty = decode::read_bin_len(reader).map_err(|_| expected())?;
            let ty = Type::from_json(take(reader, ty, place)?).map_err(|e| place.error(e.to_string()))?;
            Ok(match read(reader, &ty, &place.deeper()?)? {
                // These two need no type, and Terraform also encodes them without one.
                value @ (Value::Null | Value::Unknown) => value,
                value => Value::Dynamic(Box::new((ty, value))),
            })
        }
        Type::List(element) => {
            let length = decode::read_array_len(reader).map_err(|_| expected())?;
            read_elements(reader, length, |_| element.as_ref(), place).map(Value::List)
        }
        Type::Set(element) => {
            let length = decode::read_array_len(reader).map_err(|_| expected())?;
            let elements = read_elements(reader, length, |_| element.as_ref(), place)?;
            Ok(Value::Set(elements.into_iter().collect()))
        }
        Type::Tuple(elements) => {
            let length = decode::read_array_len(reader).map_err(|_| expected())?;
            if length as usize != elements.len() {
                return Err(place.error(format!("a tuple of {} elements was expected", elements.len())));
            }
            read_elements(reader, length, |i| &elements[i], place).map(Value::List)
        }
        Type::Map(element) => {
            let length = decode::read_map_len(reader).map_err(|_| expected())?;
            let mut map = BTreeMap::new();
            for _ in 0..length {
                let key = read_string(reader).ok_or_else(|| place.error("a key is not a string"))?;
                let value = read(reader, element, &place.then(PlaceStep::Key(&key)))?;
                if map.insert(key, value).is_some() {
                    return Err(place.error("a key occurs twice"));
                }
            }
            Ok(Value::Object(map))
        }
        Type::Object(attributes) => {
            let length = decode::read_map_len(reader).map_err(|_| expected())?;
            if length as usize != attributes.len() {
                return Err(place.error(format!("an object of {} attributes was expected", attributes.len())));
            }
            let mut object = BTreeMap::new();
            for _ in 0..length {
                let key = read_string(reader).ok_or_else(|| place.error("an attribute name is not a string"))?;
                let place = place.then(PlaceStep::Attribute(&key));
                let ty = attributes.get(&key).ok_or_else(|| place.error("the schema has no such attribute"))?;
                let value = read(reader, ty, &place)?;
                if object.insert(key.clone(), value).is_some() {
                    return Err(place.error("the attribute occurs twice"));
                }
            }
            Ok(Value::Object(object))
        }
    }
}

fn peek(reader: &[u8], place: &Place<'_>) -> Result<Marker, DecodeError> {
    reader.first().map(|byte| Marker::from_u8(*byte)).ok_or_else(|| place.error("the value is cut off"))
}

fn take<'b>(reader: &mut &'b [u8], length: u32, place: &Place<'_>) -> Result<&'b [u8], DecodeError> {
    let (taken, rest) = reader.split_at_checked(length as usize).ok_or_else(|| place.error("the value is cut off"))?;
    *reader = rest;
    Ok(taken)
}

fn read_elements<'t>(
    reader: &mut &[u8],
    length: u32,
    ty: impl Fn(usize) -> &'t Type,
    place: &Place<'_>,
) -> Result<Vec<Value>, DecodeError> {
    // The announced length is not used as a capacity, because a hostile sender could exhaust our memory with it.
    let mut elements = Vec::new();
    for i in 0..length as usize {
        elements.push(read(reader, ty(i), &place.then(PlaceStep::Index(i)))?);
    }
    Ok(elements)
}

fn read_string(reader: &mut &[u8]) -> Option<String> {
    let (text, rest) = decode::read_str_from_slice(*reader).ok()?;
    *reader = rest;
    Some(text.to_owned())
}

fn read_unknown(reader: &mut &[u8], place: &Place<'_>) -> Result<Value, DecodeError> {
    let meta = decode::read_ext_meta(reader).map_err(|_| place.error("the value is cut off"))?;
    take(reader, meta.size, place)?;
    match meta.typeid {
        UNKNOWN | REFINED_UNKNOWN => Ok(Value::Unknown),
        other => Err(place.error(format!("msgpack extension type {other} is not supported"))),
    }
}

/// Reads an integer, a float, or decimal text if neither would be exact.
fn read_number(reader: &mut &[u8], place: &Place<'_>) -> Result<Number, DecodeError> {
    let expected = || place.error(format!("{} was expected", name(&Type::Number)));
    match peek(reader, place)? {
        Marker::F32 => {
            let float = decode::read_f32(reader).map_err(|_| expected())?;
            Number::try_from(f64::from(float)).map_err(|e| place.error(e.to_string()))
        }
        Marker::F64 => {
            let float = decode::read_f64(reader).map_err(|_| expected())?;
            Number::try_from(float).map_err(|e| place.error(e.to_string()))
        }
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            let text = read_string(reader).ok_or_else(expected)?;
            text.parse().map_err(|e: crate::terraform::NumberError| place.error(e.to_string()))
        }
        Marker::U64 => {
            let _ = reader.read_u8();
            reader.read_data_u64().map(Number::from).map_err(|_| expected())
        }
        _ => decode::read_int::<i64, _>(reader).map(Number::from).map_err(|_| expected()),
    }
}

/// Writes a value of type `ty`.
///
/// # Errors
///
/// If `value` is not of that type.
pub fn to_msgpack(value: &Value, ty: &Type) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, ty)?;
    Ok(bytes)
}

/// Writing to memory cannot fail.
const MEMORY: &str = "a write to memory";

fn write(out: &mut Vec<u8>, value: &Value, ty: &Type) -> Result<(), EncodeError> {
    match (value, ty) {
        (Value::Null, _) => encode::write_nil(out).expect(MEMORY),
        (Value::Unknown, _) => {
            encode::write_ext_meta(out, 1, UNKNOWN).expect(MEMORY);
            out.push(0);
        }
        (Value::Bool(b), Type::Bool) => encode::write_bool(out, *b).expect(MEMORY),
        (Value::Number(n), Type::Number) => write_number(out, n),
        (Value::String(text), Type::String) => encode::write_str(out, text).expect(MEMORY),
        (Value::Dynamic(pair), Type::Dynamic) => {
            encode::write_array_len(out, 2).expect(MEMORY);
            encode::write_bin(out, pair.0.to_json().to_string().as_bytes()).expect(MEMORY);
            write(out, &pair.1, &pair.0)?;
        }
        (Value::List(elements), Type::List(element)) => {
            encode::write_array_len(out, length(elements.len())).expect(MEMORY);
            elements.iter().try_for_each(|value| write(out, value, element))?;
        }
        (Value::Set(elements), Type::Set(element)) => {
            encode::write_array_len(out, length(elements.len())).expect(MEMORY);
            elements.iter().try_for_each(|value| write(out, value, element))?;
        }
        (Value::List(elements), Type::Tuple(types)) if elements.len() == types.len() => {
            encode::write_array_len(out, length(elements.len())).expect(MEMORY);
            elements.iter().zip(types).try_for_each(|(value, ty)| write(out, value, ty))?;
        }
        (Value::Object(map), Type::Map(element)) => {
            encode::write_map_len(out, length(map.len())).expect(MEMORY);
            for (key, value) in map {
                encode::write_str(out, key).expect(MEMORY);
                write(out, value, element)?;
            }
        }
        (Value::Object(object), Type::Object(attributes)) if object.keys().eq(attributes.keys()) => {
            encode::write_map_len(out, length(object.len())).expect(MEMORY);
            for ((key, value), ty) in object.iter().zip(attributes.values()) {
                encode::write_str(out, key).expect(MEMORY);
                write(out, value, ty)?;
            }
        }
        (_, ty) => return Err(EncodeError { expected: ty.to_json().to_string() }),
    }
    Ok(())
}

/// Writes a number as a string, as cty itself does where no other encoding is exact.
///
/// Terraform reads an integer with 64 bits of precision, but a string with 512, as it reads its state file. Terraform
/// 1.10 to 1.14 compare decoded states and identities including that precision, so after an integer,
/// `plan -refresh-only -detailed-exitcode` reports changes where there are none (`ManagedResourcesEqual` and the caches
/// in `ResourceInstanceObjectSrc`, both in Terraform's internal/states).
fn write_number(out: &mut Vec<u8>, number: &Number) {
    encode::write_str(out, &number.to_string()).expect(MEMORY);
}

/// Converts a length to the 32 bits of msgpack, which suffice for any gRPC message.
fn length(n: usize) -> u32 {
    u32::try_from(n).expect("fewer than 2^32 elements")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    /// The bytes are those that go-cty reads; it writes the same, except for numbers.
    #[test]
    fn follows_ctys_encoding() {
        let cases: &[(Type, Value, &[u8])] = &[
            (Type::String, Value::Null, b"\xc0"),
            (Type::String, Value::Unknown, b"\xd4\x00\x00"),
            (Type::String, string("hi"), b"\xa2hi"),
            (Type::Number, Value::Number((-1i64).into()), b"\xa2-1"),
            (Type::Number, Value::Number(u64::MAX.into()), b"\xb418446744073709551615"),
            (Type::Number, Value::Number("0.1".parse().expect("a tenth")), b"\xa30.1"),
            (Type::set(Type::String), Value::Set([string("b"), string("a")].into_iter().collect()), b"\x92\xa1a\xa1b"),
            (
                Type::object([("a", Type::Bool), ("b", Type::String)]),
                Value::Object([("a".into(), Value::Bool(true)), ("b".into(), Value::Null)].into()),
                b"\x82\xa1a\xc3\xa1b\xc0",
            ),
            (Type::Dynamic, Value::Dynamic(Box::new((Type::String, string("x")))), b"\x92\xc4\x08\"string\"\xa1x"),
        ];
        for (ty, value, bytes) in cases {
            assert_eq!(to_msgpack(value, ty).as_deref(), Ok(*bytes), "{value:?}");
            assert_eq!(from_msgpack(bytes, ty).as_ref(), Ok(value));
        }
    }

    #[test]
    fn accepts_every_encoding_terraform_may_send() {
        for (ty, bytes, value) in [
            // A refined unknown: "a string that is not null".
            (Type::String, &b"\xc7\x03\x0c\x81\x01\xc2"[..], Value::Unknown),
            (Type::Number, b"\x05", Value::Number(5i64.into())),
            (Type::Number, b"\xff", Value::Number((-1i64).into())),
            (Type::Number, b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", Value::Number(u64::MAX.into())),
            (Type::Number, b"\xcb\x3f\xe0\0\0\0\0\0\0", Value::Number("0.5".parse().expect("half"))),
            (Type::Number, b"\xca\x3f\x00\x00\x00", Value::Number("0.5".parse().expect("half"))),
            (Type::Number, b"\xa51e100", Value::Number("1e100".parse().expect("a googol"))),
            (Type::Number, b"\xcd\x01\x00", Value::Number(256i64.into())),
            (Type::Dynamic, b"\x92\xc4\x08\"string\"\xc0", Value::Null),
        ] {
            assert_eq!(from_msgpack(bytes, &ty), Ok(value), "{bytes:x?}");
        }
    }

    #[test]
    fn refuses_bytes_of_another_type() {
        let object = Type::object([("a", Type::Bool)]);
        for (ty, bytes, reason) in [
            (Type::String, &b""[..], "the value is cut off"),
            (Type::String, b"\xa5abc", "a string was expected"),
            (Type::String, b"\xa1\xff", "a string was expected"),
            (Type::String, b"\x01", "a string was expected"),
            (Type::String, b"\xc0\xc0", "there are bytes after the value"),
            (Type::String, b"\xd4\x05\x00", "msgpack extension type 5 is not supported"),
            (Type::Number, b"\xcb\x7f\xf8\0\0\0\0\0\0", "not a finite number"),
            (Type::list(Type::Bool), b"\xdd\xff\xff\xff\xff", "[0]: the value is cut off"),
            (object.clone(), b"\x80", "an object of 1 attributes was expected"),
            (object.clone(), b"\x81\xa1b\xc3", "b: the schema has no such attribute"),
            (object, b"\x81\xa1a\x07", "a: a bool was expected"),
            (Type::map(Type::Bool), b"\x82\xa1k\xc3\xa1k\xc3", "a key occurs twice"),
            (Type::Tuple(vec![Type::Bool]), b"\x92\xc3\xc3", "a tuple of 1 elements was expected"),
            (
                Type::Dynamic,
                &[b"\x92\xc4\x09\"dynamic\"".repeat(200_000), b"\xc0".to_vec()].concat(),
                "it is nested too deeply",
            ),
        ] {
            assert_eq!(from_msgpack(bytes, &ty).expect_err(reason).to_string(), reason);
        }
    }

    #[test]
    fn refuses_to_write_a_value_of_another_type() {
        assert!(to_msgpack(&string("x"), &Type::Bool).is_err());
        assert!(to_msgpack(&Value::Object(BTreeMap::new()), &Type::object([("a", Type::Bool)])).is_err());
    }
}
