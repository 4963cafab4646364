import type { DescEnum, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { file_basil_broker_v1_broker as file } from "./gen/basil/broker/v1/broker_pb.js";

// Protocol number 1 as its clients have it, written down apart from the .proto: a line holds the name, then
// `number name type [label]` for a message, `NAME=number` for an enum, `method request [stream] response` for a service.
const MESSAGES = `
KeyMaterial: 1 ed25519_seed bytes oneof material; 2 pkcs8_der bytes oneof material
CiphertextEnvelope: 1 alg AeadAlgorithm; 2 key_version uint32; 3 nonce bytes; 4 ciphertext bytes
KemEnvelope: 1 kem_algorithm KemAlgorithm; 2 envelope_algorithm EnvelopeAlgorithm; 3 key_version uint32; 4 encapsulated_key bytes; 5 nonce bytes; 6 ciphertext bytes
CatalogEntry: 1 name string; 2 kind CatalogKind; 3 key_type KeyType optional; 4 latest_version uint32
SealedRequest: 1 message bytes
SealedResponse: 1 message bytes; 2 response_subject string optional
CredentialResponse: 1 token string; 2 expires_at Timestamp optional
BrokerErrorInfo: 1 reason string; 2 op string
NewKeyRequest: 1 key_id string; 2 key_type KeyType
NewKeyResponse: 1 key_id string; 2 public_key bytes
ImportRequest: 1 key_id string; 2 key_type KeyType; 3 material KeyMaterial
ImportEntry: 1 key_id string; 2 key_type KeyType; 3 material KeyMaterial
ImportSetRequest: 1 entries ImportEntry repeated
ImportedKey: 1 key_id string; 2 public_key bytes
ImportSetResponse: 1 keys ImportedKey repeated
SignRequest: 1 key_id string; 2 message bytes; 3 algorithm SigningAlgorithm
SignResponse: 1 signature bytes
VerifyRequest: 1 key_id string; 2 message bytes; 3 signature bytes; 4 algorithm SigningAlgorithm
VerifyResponse: 1 valid bool
GetPublicKeyRequest: 1 key_id string; 2 version uint32 optional
GetPublicKeyResponse: 1 key_id string; 2 key_type KeyType; 3 public_key bytes; 4 version uint32
EncryptRequest: 1 key_id string; 2 algorithm AeadAlgorithm; 3 plaintext bytes; 4 aad bytes optional
EncryptResponse: 1 envelope CiphertextEnvelope
DecryptRequest: 1 key_id string; 2 envelope CiphertextEnvelope; 3 aad bytes optional
DecryptResponse: 1 plaintext bytes
WrapEnvelopeRequest: 1 key_id string; 2 kem_algorithm KemAlgorithm; 3 envelope_algorithm EnvelopeAlgorithm; 4 plaintext bytes; 5 aad bytes optional
WrapEnvelopeResponse: 1 envelope KemEnvelope
UnwrapEnvelopeRequest: 1 key_id string; 2 envelope KemEnvelope; 3 aad bytes optional
UnwrapEnvelopeResponse: 1 plaintext bytes
UnsealCoseRequest: 1 key_id string; 2 cose_encrypt bytes; 3 external_aad bytes optional
UnsealCoseResponse: 1 plaintext bytes
GetSecretRequest: 1 secret_id string; 2 version uint32 optional
GetSecretResponse: 1 value bytes; 2 version uint32
SetSecretRequest: 1 secret_id string; 2 value bytes
SetSecretResponse: 1 version uint32
RotateSecretRequest: 1 secret_id string
RotateSecretResponse: 1 version uint32
ListCatalogRequest: 1 prefix string optional
MintJwtRequest: 1 key_id string; 2 subject string optional; 3 ttl Duration; 4 extra_claims_json bytes
IssueCertificateRequest: 1 issuer_key_id string; 2 common_name string; 3 dns_sans string repeated; 4 ip_sans string repeated; 5 ttl Duration
IssueCertificateResponse: 1 cert_chain_der bytes repeated; 2 private_key_der bytes; 3 ca_chain_der bytes repeated
MintNatsUserRequest: 1 key_id string; 2 subject_user_nkey string; 3 name string; 4 ttl Duration; 5 pub_allow string repeated; 6 pub_deny string repeated; 7 sub_allow string repeated; 8 sub_deny string repeated; 9 issuer_account string optional
MintNatsAccountRequest: 1 key_id string; 2 subject_account_nkey string; 3 name string; 4 ttl Duration; 5 signing_keys string repeated
MintNatsOperatorRequest: 1 key_id string; 2 subject_operator_nkey string optional; 3 name string; 4 ttl Duration; 5 signing_keys string repeated; 6 account_server_url string optional; 7 system_account string optional
MintNatsSignerRequest: 1 key_id string; 2 subject_nkey string; 3 name string; 4 ttl Duration
MintNatsServerRequest: 1 key_id string; 2 subject_server_nkey string; 3 name string; 4 ttl Duration
MintNatsCurveRequest: 1 key_id string; 2 subject_curve_nkey string; 3 name string; 4 ttl Duration
EncryptNatsCurveRequest: 1 key_id string; 2 recipient_public_xkey string; 3 plaintext bytes
EncryptNatsCurveResponse: 1 ciphertext bytes
DecryptNatsCurveRequest: 1 key_id string; 2 sender_public_xkey string; 3 ciphertext bytes
DecryptNatsCurveResponse: 1 plaintext bytes
SignNatsJwtRequest: 1 key_id string; 2 claims_json bytes; 3 expected_type NatsJwtType; 4 ttl Duration; 5 expires_at Timestamp; 6 issued_at Timestamp; 7 jti_mode NatsJtiMode
AllowedNatsSigner: 1 key_id string oneof signer; 2 nats_public_key string oneof signer
ValidateNatsJwtRequest: 1 jwt string; 2 allowed_signers AllowedNatsSigner repeated; 3 expected_type NatsJwtType
ValidateNatsJwtResponse: 1 valid bool; 2 reason NatsJwtValidationReason; 3 subject string; 4 issuer string; 5 matched_signer_key_id string; 6 jwt_type NatsJwtType; 7 expires_at_unix uint64; 8 issued_at_unix uint64
StatusResponse: 1 backend string; 2 version string; 3 protocol uint32
HealthResponse: 1 alive bool; 2 version string
ReadinessResponse: 1 ready bool; 2 reason ReadinessReason; 3 generation uint64; 4 keys_total uint32; 5 keys_present uint32; 6 keys_required_missing uint32; 7 keys_optional_missing uint32
WatchRequest: 1 kinds EventKind repeated
Event: 1 kind EventKind; 2 at Timestamp; 3 key_rotated KeyRotated oneof detail; 4 bundle_changed BundleChanged oneof detail; 5 revoked Revoked oneof detail
KeyRotated: 1 key_id string; 2 new_version uint32
BundleChanged: 1 trust_domain string
Revoked: 1 trust_domain string; 2 id string
ReloadRequest: 1 check bool
ReloadResponse: 1 applied bool; 2 checked bool; 3 previous_generation uint64; 4 new_generation uint64; 5 key_count uint32; 6 grant_count uint32; 7 rejection ReloadRejection
ReloadRejection: 1 reason string; 2 message string
ExplainRequest: 1 subject string; 2 op string; 3 key string
MatchedRule: 1 rule string; 2 via string; 3 action string; 4 target string; 5 subject string
ExplainResponse: 1 subject string; 2 op string; 3 key string; 4 decision ExplainDecision; 5 via string; 6 reason string; 7 matched_rule MatchedRule
RevokeRequest: 1 trust_domain string; 2 jti string; 3 expires_at_unix uint64
RevokeResponse: 1 trust_domain string; 2 jti string; 3 expires_at_unix uint64; 4 persisted bool
StatusRequest:
HealthRequest:
ReadinessRequest:
`;

const ENUMS = `
KeyType: KEY_TYPE_UNSPECIFIED=0 KEY_TYPE_ED25519=1 KEY_TYPE_ED25519_NKEY=2 KEY_TYPE_RSA_2048=3 KEY_TYPE_ML_DSA_44=4 KEY_TYPE_ML_DSA_65=5 KEY_TYPE_ML_DSA_87=6 KEY_TYPE_ML_KEM_512=7 KEY_TYPE_ML_KEM_768=8 KEY_TYPE_ML_KEM_1024=9 KEY_TYPE_ECDSA_P256=10 KEY_TYPE_ECDSA_P384=11 KEY_TYPE_ECDSA_P521=12
SigningAlgorithm: SIGNING_ALGORITHM_UNSPECIFIED=0 SIGNING_ALGORITHM_ED25519=1 SIGNING_ALGORITHM_ED25519_NKEY=2 SIGNING_ALGORITHM_RS256=3 SIGNING_ALGORITHM_ML_DSA_44=4 SIGNING_ALGORITHM_ML_DSA_65=5 SIGNING_ALGORITHM_ML_DSA_87=6 SIGNING_ALGORITHM_ES256=7
NatsJwtType: NATS_JWT_TYPE_UNSPECIFIED=0 NATS_JWT_TYPE_USER=1 NATS_JWT_TYPE_ACCOUNT=2 NATS_JWT_TYPE_OPERATOR=3 NATS_JWT_TYPE_SIGNER=4 NATS_JWT_TYPE_SERVER=5 NATS_JWT_TYPE_CURVE=6
NatsJtiMode: NATS_JTI_MODE_REQUIRE_VALID=0 NATS_JTI_MODE_REWRITE=1
NatsJwtValidationReason: NATS_JWT_VALIDATION_REASON_UNSPECIFIED=0 NATS_JWT_VALIDATION_REASON_VALID=1 NATS_JWT_VALIDATION_REASON_MALFORMED=2 NATS_JWT_VALIDATION_REASON_BAD_SIGNATURE=3 NATS_JWT_VALIDATION_REASON_UNKNOWN_SIGNER=4 NATS_JWT_VALIDATION_REASON_EXPIRED=5 NATS_JWT_VALIDATION_REASON_NOT_YET_VALID=6 NATS_JWT_VALIDATION_REASON_WRONG_TYPE=7
AeadAlgorithm: AEAD_ALGORITHM_UNSPECIFIED=0 AEAD_ALGORITHM_CHACHA20_POLY1305=1 AEAD_ALGORITHM_AES_256_GCM=2
KemAlgorithm: KEM_ALGORITHM_UNSPECIFIED=0 KEM_ALGORITHM_ML_KEM_512=1 KEM_ALGORITHM_ML_KEM_768=2 KEM_ALGORITHM_ML_KEM_1024=3 KEM_ALGORITHM_X25519=4
EnvelopeAlgorithm: ENVELOPE_ALGORITHM_UNSPECIFIED=0 ENVELOPE_ALGORITHM_AES_256_GCM=1 ENVELOPE_ALGORITHM_CHACHA20_POLY1305=2
CatalogKind: CATALOG_KIND_UNSPECIFIED=0 CATALOG_KIND_SIGNING=1 CATALOG_KIND_VALUE=2 CATALOG_KIND_ENCRYPTION=3
ExplainDecision: EXPLAIN_DECISION_UNSPECIFIED=0 EXPLAIN_DECISION_ALLOW=1 EXPLAIN_DECISION_DENY=2
ReadinessReason: READINESS_REASON_UNSPECIFIED=0 READINESS_REASON_READY=1 READINESS_REASON_BACKEND_UNREACHABLE=2 READINESS_REASON_REQUIRED_KEY_MISSING=3
EventKind: EVENT_KIND_UNSPECIFIED=0 EVENT_KIND_KEY_ROTATED=1 EVENT_KIND_BUNDLE_CHANGED=2 EVENT_KIND_REVOKED=3
`;

const METHODS = `
InvocationService: Invoke SealedRequest SealedResponse
SigningService: NewKey NewKeyRequest NewKeyResponse; Import ImportRequest NewKeyResponse; ImportSet ImportSetRequest ImportSetResponse; Sign SignRequest SignResponse; Verify VerifyRequest VerifyResponse; GetPublicKey GetPublicKeyRequest GetPublicKeyResponse
AeadService: Encrypt EncryptRequest EncryptResponse; Decrypt DecryptRequest DecryptResponse; WrapEnvelope WrapEnvelopeRequest WrapEnvelopeResponse; UnwrapEnvelope UnwrapEnvelopeRequest UnwrapEnvelopeResponse; UnsealCose UnsealCoseRequest UnsealCoseResponse
SecretService: GetSecret GetSecretRequest GetSecretResponse; SetSecret SetSecretRequest SetSecretResponse; RotateSecret RotateSecretRequest RotateSecretResponse; ListCatalog ListCatalogRequest stream CatalogEntry
MintingService: MintJwt MintJwtRequest CredentialResponse; IssueCertificate IssueCertificateRequest IssueCertificateResponse
NatsService: MintNatsUser MintNatsUserRequest CredentialResponse; MintNatsAccount MintNatsAccountRequest CredentialResponse; MintNatsOperator MintNatsOperatorRequest CredentialResponse; MintNatsSigner MintNatsSignerRequest CredentialResponse; MintNatsServer MintNatsServerRequest CredentialResponse; MintNatsCurve MintNatsCurveRequest CredentialResponse; EncryptNatsCurve EncryptNatsCurveRequest EncryptNatsCurveResponse; DecryptNatsCurve DecryptNatsCurveRequest DecryptNatsCurveResponse; SignNatsJwt SignNatsJwtRequest CredentialResponse; ValidateNatsJwt ValidateNatsJwtRequest ValidateNatsJwtResponse
AdminService: Status StatusRequest StatusResponse; Health HealthRequest HealthResponse; Readiness ReadinessRequest ReadinessResponse; Watch WatchRequest stream Event; Reload ReloadRequest ReloadResponse; Explain ExplainRequest ExplainResponse; Revoke RevokeRequest RevokeResponse
`;

const RESERVED = `
KeyType 13-31
SigningAlgorithm 8-31
NatsJwtType 7-31
NatsJwtValidationReason 8-31
AeadAlgorithm 3-15
KemAlgorithm 5-31
EnvelopeAlgorithm 3-31
CatalogKind 4-31
ExplainDecision 3-31
EventKind 4-15
EncryptRequest 5-5
`;

const lines = (table: string) => table.trim().split("\n");
const byName = (table: string) =>
  new Map(lines(table).map((line) => [line.slice(0, line.indexOf(":")), line] as const));

function typeName(field: DescField): string {
  if (field.message) return field.message.name;
  if (field.enum) return field.enum.name;
  return { 5: "int32", 4: "uint64", 8: "bool", 9: "string", 12: "bytes", 13: "uint32" }[field.scalar as number] ?? "?";
}

function label(field: DescField): string {
  if (field.fieldKind === "list") return " repeated";
  if (field.oneof) return ` oneof ${field.oneof.name}`;
  return field.proto.proto3Optional ? " optional" : "";
}

const written = {
  message: (message: DescMessage) =>
    `${message.name}:${message.fields.map((field) => ` ${field.number} ${field.name} ${typeName(field)}${label(field)}`).join(";")}`,
  enum: (type: DescEnum) => `${type.name}: ${type.values.map((value) => `${value.name}=${value.number}`).join(" ")}`,
  service: (service: DescService) =>
    `${service.name}: ${service.methods
      .map((method: DescMethod) => {
        const stream = method.methodKind === "server_streaming" ? "stream " : "";
        return `${method.name} ${method.input.name} ${stream}${method.output.name}`;
      })
      .join("; ")}`,
};

describe("basil.broker.v1", () => {
  it.for([...byName(MESSAGES)])("%s has these fields", ([name, line]) => {
    const message = file.messages.find((candidate) => candidate.name === name);
    expect(message && written.message(message)).toBe(line);
  });

  it.for([...byName(ENUMS)])("%s has these numbers", ([name, line]) => {
    const type = file.enums.find((candidate) => candidate.name === name);
    expect(type && written.enum(type)).toBe(line);
  });

  it.for([...byName(METHODS)])("%s has these methods", ([name, line]) => {
    const service = file.services.find((candidate) => candidate.name === name);
    expect(service && written.service(service)).toBe(line);
  });

  it("has nothing else", () => {
    expect(file.messages.map(({ name }) => name).sort()).toEqual([...byName(MESSAGES).keys()].sort());
    expect(file.enums.map(({ name }) => name).sort()).toEqual([...byName(ENUMS).keys()].sort());
    expect(file.services.map(({ name }) => name).sort()).toEqual([...byName(METHODS).keys()].sort());
  });

  it("keeps these numbers reserved and no others", () => {
    const enums = file.enums.flatMap(({ name, proto }) =>
      proto.reservedRange.map(({ start, end }) => `${name} ${start}-${end}`),
    );
    // The end of a message's range is exclusive, that of an enum's inclusive (descriptor.proto).
    const messages = file.messages.flatMap(({ name, proto }) =>
      proto.reservedRange.map(({ start, end }) => `${name} ${start}-${end - 1}`),
    );
    expect([...enums, ...messages].sort()).toEqual(lines(RESERVED).sort());
  });
});
