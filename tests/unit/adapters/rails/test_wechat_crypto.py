"""The rail's cryptography against the official Go SDK's published vectors, and its round trips and refusals."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from uncap.adapters.rails.wechat_crypto import (
    Keyring,
    RailKeys,
    encrypt_field,
    load_private_key,
    load_public_key,
    open_resource,
    sign,
    verify,
)
from uncap.domain.errors import AuthError, InputError

# Published with wechatpay-apiv3/wechatpay-go (utils/*_test.go, core/notify/notify_test.go): a test key's public half.
GO_PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA2VCTd91fnUn73Xy9DLvt
/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXagHQ4vGeZN0yqm++rDsGK+
U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOmDeJf2vg6byms9RUipiq4
SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDGUUK65E5h2B834uxl1zNLYQCrkdBzb8oU
xwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGfy8wus7hwKz6clt3Whmmd
a7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtkaSef4FdEEgEXJiw0VAJT
8wIDAQAB
-----END PUBLIC KEY-----"""
GO_SOURCE_SIGNATURE = (
    "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoV"
    "z+pp4hAm6pHU4ld815U4jsKu1RkyaII+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyvD1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLl"
    "i/K8V29QiOhuH6IEqLNJn8e9b3nwNcQ7be3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj"
    "1aJGH6/L+hdwfLpUtJm4QYVazzW7DFD27EpSQEqA8bX9+8m1rLg=="
)
GO_NOTICE_HEADERS = {
    "Wechatpay-Nonce": "EcZ9Cmy4Xyx1i6RlJQzLcCyEqDa26NBz",
    "Wechatpay-Timestamp": "1624523846",
    "Wechatpay-Serial": "D7CE59D1F522D701",
    "Wechatpay-Signature": (
        "tJHIiIS9eB2hAYstmAmbbD3ZE5LiIm/Ug5tuL4fC0YOFRWIHV39UFIZXC0e9Wl6lBu6sKvkqDkzpqzBsVHyXF"
        "lbYZTOQrVdG4b6LfTnK4mikv9++ixJMd3vTf2yCqvBkh98zs3Ds5zsYQakzbcwhmw4fMJs4nPLws28H0UW9FjDR//rxELLwXvV1VEA1I"
        "BLX70xptjL8hrfUjEE8kkry6yNJTHZRU8CAc7qHli2Ng1V1qb9ARbK8A3ThmFmPQvRGrapI/jS2laKKgYUmfdEdkNO6B2Cke5e8VTxY4"
        "06ArAmQ90GAihDwIcb16TQMnzCMBoutnwZKNiKRACrFmtxw2Q=="
    ),
}
GO_NOTICE_CIPHERTEXT = (
    "YDS3lKPaC4Y52Gf3uhft5qUBlIa8b428AWTtTauHQfQrRw+X1WpiuHIDy0vo1Vd6VEq67aVyqPdDYMkRVSDaZL3iZt"
    "tevRMOoPKMifozg6XPWjIZumks/GpT48lI4NizyeaqLBokNebthah3o1H76qSlO9NkDjp9bzmKLEYYH9TEklFUpsvPqOTOcgSLgh21YJXYR"
    "7dEBXFgRLiNIKRgO5JdXh1hccRUAlyVWxE54PXpnQ=="
)
GO_NOTICE_BODY = (
    '{"id":"3119dfba-e649-5eec-ab1e-3412bc4d2e17","create_time":"2021-06-24T16:37:26+08:00",'
    '"resource_type":"encrypt-resource","event_type":"PAYSCORE.USER_OPEN_SERVICE","summary":"签约成功",'
    '"resource":{"original_type":"payscore","algorithm":"AEAD_AES_256_GCM","ciphertext":"' + GO_NOTICE_CIPHERTEXT + '",'
    '"associated_data":"payscore","nonce":"Kj7QIyUiYx1q"}}'
).encode()

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    none = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none).decode()


def public_pem(key: rsa.RSAPublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def rail_keys(**changes: str) -> RailKeys:
    values = {
        "mchid": "1900000001",
        "appid": "wx0123456789abcdef",
        "serial_no": "AB12",
        "private_key_pem": private_pem(KEY),
        "api_v3_key": "k" * 32,
        "platform_serial": "PUB_KEY_ID_01",
        "platform_public_key_pem": public_pem(OTHER_KEY.public_key()),
    }
    return RailKeys(**{**values, **changes})


KEYRING = Keyring(rail_keys())


def signed_headers(body: bytes, *, now_s: int, key: rsa.RSAPrivateKey = OTHER_KEY) -> dict[str, str]:
    message = f"{now_s}\nnonce\n".encode() + body + b"\n"
    return {
        "wechatpay-timestamp": str(now_s),
        "wechatpay-nonce": "nonce",
        "wechatpay-serial": "PUB_KEY_ID_01",
        "wechatpay-signature": sign(key, message),
    }


def test_the_go_sdks_signature_vector_is_verified() -> None:
    key = load_public_key(GO_PUBLIC_KEY)
    assert verify(key, b"source", GO_SOURCE_SIGNATURE)
    assert not verify(key, b"sauce", GO_SOURCE_SIGNATURE)


def test_the_go_sdks_gcm_vector_opens() -> None:
    opened = open_resource(
        b"testAPIv3Key0000",
        nonce="wCq51qZv4Yfg",
        associated_data="Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8",
        ciphertext="FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
    )
    assert opened == b"Hello World"


@pytest.mark.parametrize("ciphertext", ["invalid cipher", "SGVsbG8gV29ybGQK", ""])
def test_the_go_sdks_broken_ciphertexts_are_refused(ciphertext: str) -> None:
    with pytest.raises(AuthError) as caught:
        open_resource(b"testAPIv3Key0000", nonce="wCq51qZv4Yfg", associated_data="", ciphertext=ciphertext)
    assert caught.value.code == "rail_sealed"


def test_the_go_sdks_notice_is_proven_and_opened_whole() -> None:
    keyring = Keyring(rail_keys(platform_serial="D7CE59D1F522D701", platform_public_key_pem=GO_PUBLIC_KEY))
    keyring.check_signature(GO_NOTICE_HEADERS, GO_NOTICE_BODY, now_s=1624523846 + 299)
    opened = open_resource(
        b"testMchAPIv3Key0", nonce="Kj7QIyUiYx1q", associated_data="payscore", ciphertext=GO_NOTICE_CIPHERTEXT
    )
    assert opened == (
        b'{"mchid":"1234567890","appid":"054aa7d7a2a54ab5898df65bd96f001c",'
        b'"create_time":"2020-06-30T12:12:00+08:00","out_contract_code":"21640bdbd08e473e828f3206a2741c6e"}'
    )


@given(message=st.binary(max_size=2_000))
def test_a_signature_fits_its_message_and_key_only(message: bytes) -> None:
    signature = sign(KEY, message)
    assert verify(KEY.public_key(), message, signature)
    assert not verify(KEY.public_key(), message + b" ", signature)
    assert not verify(OTHER_KEY.public_key(), message, signature)


@given(signature=st.text(max_size=400))
def test_a_made_up_signature_is_false_and_never_an_error(signature: str) -> None:
    assert not verify(KEY.public_key(), b"message", signature)


@given(plain=st.binary(max_size=500), nonce=st.from_regex(r"[0-9a-f]{12}", fullmatch=True), data=st.text(max_size=32))
def test_a_resource_opens_again_and_no_flipped_bit_does(plain: bytes, nonce: str, data: str) -> None:
    key = b"k" * 32
    sealed = AESGCM(key).encrypt(nonce.encode(), plain, data.encode())
    ciphertext = base64.b64encode(sealed).decode()
    assert open_resource(key, nonce=nonce, associated_data=data, ciphertext=ciphertext) == plain
    broken = base64.b64encode(sealed[:-1] + bytes([sealed[-1] ^ 1])).decode()
    with pytest.raises(AuthError):
        open_resource(key, nonce=nonce, associated_data=data, ciphertext=broken)
    with pytest.raises(AuthError):
        open_resource(b"x" * 32, nonce=nonce, associated_data=data, ciphertext=ciphertext)


@given(name=st.text(min_size=1, max_size=40))
def test_a_field_is_readable_to_the_platform(name: str) -> None:
    sealed = base64.b64decode(encrypt_field(OTHER_KEY.public_key(), name))
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303
    assert OTHER_KEY.decrypt(sealed, oaep).decode() == name


def test_a_name_too_long_for_one_block_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        encrypt_field(OTHER_KEY.public_key(), "名" * 72)
    assert caught.value.code == "user_name_too_long"


@given(body=st.binary(max_size=300), target=st.from_regex(r"/[a-z0-9/?=&-]{0,60}", fullmatch=True))
def test_an_authorization_proves_method_target_and_body(body: bytes, target: str) -> None:
    header = KEYRING.authorization("POST", target, body, now_s=1_700_000_000, nonce="n0nce")
    scheme, _, rest = header.partition(" ")
    fields = dict(part.split("=", 1) for part in rest.split(","))
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    assert fields["mchid"] == '"1900000001"'
    assert fields["serial_no"] == '"AB12"'
    message = f"POST\n{target}\n1700000000\nn0nce\n".encode() + body + b"\n"
    assert verify(KEY.public_key(), message, fields["signature"].strip('"'))


@pytest.mark.parametrize("skew_s", [-300, 0, 300])
def test_a_fresh_platform_signature_is_believed(skew_s: int) -> None:
    KEYRING.check_signature(signed_headers(b"{}", now_s=1_000_000), b"{}", now_s=1_000_000 + skew_s)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"wechatpay-signature": ""}, "rail_unsigned"),
        ({"wechatpay-nonce": ""}, "rail_unsigned"),
        ({"wechatpay-timestamp": "999699"}, "rail_stale"),
        ({"wechatpay-timestamp": "1000301"}, "rail_stale"),
        ({"wechatpay-timestamp": "١٠٠٠٠٠٠"}, "rail_stale"),
        ({"wechatpay-timestamp": "1" * 5000}, "rail_stale"),
        ({"wechatpay-serial": "PUB_KEY_ID_02"}, "rail_key_unknown"),
        ({"wechatpay-nonce": "other"}, "rail_forged"),
        ({"wechatpay-timestamp": "1000001"}, "rail_forged"),
        ({"wechatpay-signature": "WECHATPAY/SIGNTEST/AAAA"}, "rail_forged"),
    ],
)
def test_anything_else_is_refused_by_its_reason(change: dict[str, str], code: str) -> None:
    headers = {**signed_headers(b"{}", now_s=1_000_000), **change}
    with pytest.raises(AuthError) as caught:
        KEYRING.check_signature(headers, b"{}", now_s=1_000_000)
    assert caught.value.code == code


def test_another_keys_signature_is_forged() -> None:
    with pytest.raises(AuthError) as caught:
        KEYRING.check_signature(signed_headers(b"{}", now_s=1, key=KEY), b"{}", now_s=1)
    assert caught.value.code == "rail_forged"


@pytest.mark.parametrize(
    "change",
    [
        {"private_key_pem": "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"},
        {"private_key_pem": private_pem(ec.generate_private_key(ec.SECP256R1()))},
        {"platform_public_key_pem": "secret"},
        {"api_v3_key": "secret"},
    ],
)
def test_broken_keys_fail_at_once_and_are_not_quoted(change: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        Keyring(rail_keys(**change))
    assert caught.value.code == "rail_keys_malformed"
    assert "secret" not in str(caught.value).replace("RailKeys secret", "")
    assert caught.value.where in change


def test_keys_do_not_print_themselves() -> None:
    assert repr(rail_keys()) == "RailKeys(mchid='1900000001')"


def test_a_private_key_loads_with_its_public_half() -> None:
    assert load_private_key(private_pem(KEY)).public_key() == KEY.public_key()
