/** Why a case cannot occur for a command. */
export interface Never {
  readonly never: string;
}

/** One command of the tree, as lines behind its name. Names of files are those of the folder that the test makes. */
export interface BadInputRow {
  /** A whole line, so that what is wrong with a case is the one thing that was made wrong. */
  readonly line: string;
  /** Lines whose FILE is absent, then a folder. */
  readonly files: readonly string[] | Never;
  /** Lines that read a document or JSON that is none: `bad.json`, `bad.toml`. */
  readonly documents: readonly string[] | Never;
  /** `line` asks the broker: nothing listens, somebody else's socket, no answer. */
  readonly broker: true | Never;
  /** `line` is refused by a policy that knows no caller. */
  readonly denied: true | Never;
  /** The line whose reader goes away; it would succeed. */
  readonly pipe: string;
  /** The line that asks at a terminal, and what it shows when it asks. */
  readonly prompt: { readonly line: string; readonly asks: RegExp } | Never;
}

const never = (reason: string): Never => ({ never: reason });
const HELP = "--help";
const OFFLINE = never("it asks no broker");
const NO_FILE = never("it reads no file");
const NO_DOCUMENT = never("it reads no document");
const NO_PROMPT = never("it asks nothing; a message from standard input is no answer to a prompt");
const ANY_CALLER = never("it needs no grant");

const DOCUMENTS = "--catalog catalog.json --policy policy.json";
/** The files that the agent, and all who look at what it would do, read. */
const SETTINGS = [
  "-c FILE",
  "--catalog FILE --policy policy.json --bundle creds.sealed",
  "--catalog catalog.json --policy FILE --bundle creds.sealed",
];
const BAD_SETTINGS = [
  "-c bad.toml",
  "--catalog bad.json --policy policy.json --bundle creds.sealed",
  "--catalog catalog.json --policy bad.json --bundle creds.sealed",
];

/** A command that sends a request with what stands in `line`. */
function call(line: string, more: Partial<BadInputRow> = {}): BadInputRow {
  return {
    line,
    files: NO_FILE,
    documents: NO_DOCUMENT,
    broker: true,
    denied: true,
    pipe: line,
    prompt: NO_PROMPT,
    ...more,
  };
}

/** A command that works on this host alone. */
function local(line: string, more: Partial<BadInputRow> = {}): BadInputRow {
  return call(line, { broker: OFFLINE, denied: OFFLINE, ...more });
}

/** A command that opens the bundle, at a prompt if it is told so. */
function opening(line: string, more: Partial<BadInputRow> = {}): BadInputRow {
  return local(`creds.sealed ${line} --open passphrase:file=pass`, {
    files: [`FILE ${line} --open passphrase:file=pass`, `creds.sealed ${line} --open passphrase:file=FILE`],
    documents: [`bad.json ${line} --open passphrase:file=pass`],
    pipe: HELP,
    prompt: { line: `creds.sealed ${line} --open passphrase:prompt=true`, asks: /passphrase: $/ },
    ...more,
  });
}

const P256 = "--key-id jwt.signing.primary";
const NOT_BY_KMS = { pipe: HELP };
const ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const KMS_JOB = "--catalog catalog.json --region us-east-1";

export const BAD_INPUT: Readonly<Record<string, BadInputRow>> = {
  init: local("--region us-east-1 --dir made", {
    files: ["--region us-east-1 --dir made --unlock passphrase --passphrase-file FILE"],
    documents: NO_DOCUMENT,
    pipe: HELP,
    prompt: { line: "--dir made", asks: /:\s*$/ },
  }),
  agent: local(`${DOCUMENTS} --bundle creds.sealed`, {
    // A socket that is free: one that is served is refused before the bundle is looked at.
    files: [...SETTINGS, "-c agent.toml --bundle FILE --socket free.sock"],
    documents: BAD_SETTINGS,
    pipe: HELP,
    broker: never("it is the broker"),
    denied: never("it is the broker"),
  }),
  doctor: local(`${DOCUMENTS} --bundle creds.sealed`, {
    files: [...SETTINGS, `${DOCUMENTS} --bundle FILE`],
    documents: BAD_SETTINGS,
    broker: never("a broker that does not answer is one of its rows, and no failure"),
    denied: never("it needs no grant"),
  }),
  explain: call("--live --subject me --op sign --key jwt.signing.primary", {
    files: SETTINGS.map((files) => `--subject me --effective ${files}`),
    documents: BAD_SETTINGS.map((files) => `--subject me --effective ${files}`),
    pipe: `--subject me --effective ${DOCUMENTS}`,
  }),
  "catalog check": local("--catalog catalog.json", {
    files: ["--catalog FILE", "-c FILE"],
    documents: ["--catalog bad.json", "-c bad.toml"],
  }),
  "policy lint": local(DOCUMENTS, {
    files: ["--catalog FILE --policy policy.json", "--catalog catalog.json --policy FILE", "-c FILE"],
    documents: ["--catalog bad.json --policy policy.json", "--catalog catalog.json --policy bad.json", "-c bad.toml"],
  }),
  "policy test": local(`cases.json ${DOCUMENTS}`, {
    files: [`FILE ${DOCUMENTS}`, "cases.json --catalog catalog.json --policy FILE"],
    documents: [`bad.json ${DOCUMENTS}`, "cases.json --catalog catalog.json --policy bad.json"],
  }),
  "policy diff": local("policy.json policy.json --catalog catalog.json", {
    files: ["FILE policy.json --catalog catalog.json", "policy.json FILE --catalog catalog.json"],
    documents: ["bad.json policy.json --catalog catalog.json", "policy.json bad.json --catalog catalog.json"],
    pipe: HELP,
  }),
  "policy who-can": local(`sign jwt.signing.primary ${DOCUMENTS}`, {
    files: ["sign jwt.signing.primary --catalog FILE --policy policy.json"],
    documents: ["sign jwt.signing.primary --catalog bad.json --policy policy.json"],
  }),
  "bundle create": local("new.sealed --slot passphrase:file=pass", {
    files: ["new.sealed --slot passphrase:file=FILE", "new.sealed --from FILE"],
    documents: ["new.sealed --from bad.toml"],
    pipe: HELP,
    prompt: { line: "new.sealed --slot passphrase:prompt=true", asks: /passphrase[^:]*: $/ },
  }),
  "bundle add-slot": opening("--slot bip39"),
  "bundle remove-slot": opening("--slot 7"),
  "bundle set-backend": opening("--backend id=kms,type=aws-kms,region=us-east-1"),
  "bundle remove-backend": opening("--backend kms"),
  "bundle deposit": local("creds.sealed --backend id=kms,type=aws-kms,region=us-east-1 -r recipient -i seed", {
    files: [
      "FILE --backend id=kms,type=aws-kms,region=us-east-1 -r recipient -i seed",
      "creds.sealed --backend id=kms,type=aws-kms,region=us-east-1 -r FILE -i seed",
      "creds.sealed --backend id=kms,type=aws-kms,region=us-east-1 -r recipient -i FILE",
    ],
    documents: ["bad.json --backend id=kms,type=aws-kms,region=us-east-1 -r recipient -i seed"],
    pipe: HELP,
    prompt: never("it does not open the bundle"),
  }),
  "bundle allow": opening(`--contributor ${"A".repeat(43)} --backend kms`),
  "bundle disallow": opening("--contributor-id ops"),
  "bundle promote": opening("--dry-run"),
  "bundle drop-deposit": local("creds.sealed 0", {
    files: ["FILE 0"],
    documents: ["bad.json 0"],
    pipe: HELP,
    prompt: never("it does not open the bundle"),
  }),
  "bundle deposit-key": opening("--out made.recipient"),
  "bundle rekey": opening(""),
  "bundle verify": opening(""),
  "bundle show": local("creds.sealed", {
    files: ["FILE", "creds.sealed --open passphrase:file=FILE"],
    documents: ["bad.json"],
    prompt: { line: "creds.sealed --open passphrase:prompt=true", asks: /passphrase: $/ },
  }),
  "iam policy": local(`--identity runtime ${KMS_JOB}`, {
    files: ["--identity runtime --region us-east-1 --catalog FILE", `--identity runtime ${KMS_JOB} --policy FILE`],
    documents: ["--identity runtime --region us-east-1 --catalog bad.json"],
    pipe: "--identity provisioner --catalog catalog.json --region us-east-1 --account 111122223333",
  }),
  "iam diff": local(
    `deployed.json --identity runtime ${KMS_JOB} --arn jwt.signing.primary=${ARN} --arn payload.aead=${ARN}`,
    {
      files: [
        `FILE --identity runtime ${KMS_JOB}`,
        "deployed.json --identity runtime --region us-east-1 --catalog FILE",
      ],
      documents: [
        `bad.json --identity runtime ${KMS_JOB}`,
        "deployed.json --identity runtime --region us-east-1 --catalog bad.json",
      ],
    },
  ),
  "iam trust": local("ec2"),
  "audit verify": local("audit.jsonl", {
    files: ["FILE"],
    documents: ["bad.json"],
  }),
  "provision create": local(KMS_JOB, {
    files: ["--catalog FILE --region us-east-1"],
    documents: ["--catalog bad.json --region us-east-1"],
    pipe: HELP,
    prompt: { line: "--catalog to-make.json --region us-east-1", asks: /\[y\/N\]\s*$/ },
  }),
  "provision rotate": local(`jwt.signing.primary ${KMS_JOB}`, {
    files: [
      "jwt.signing.primary --catalog FILE --region us-east-1",
      `jwt.signing.primary ${KMS_JOB} --runtime-policy FILE`,
    ],
    documents: ["jwt.signing.primary --catalog bad.json --region us-east-1"],
    pipe: HELP,
    prompt: { line: "jwt.signing.primary --catalog catalog.json --region us-east-1", asks: /\[y\/N\]\s*$/ },
  }),
  keys: local(KMS_JOB, {
    files: ["--region us-east-1 --catalog FILE", "--region us-east-1 -c FILE"],
    documents: ["--region us-east-1 --catalog bad.json"],
  }),
  "new-key": call("--key-id jwt.signing.primary --key-type ecdsa-p256", NOT_BY_KMS),
  rotate: call(P256, NOT_BY_KMS),
  list: call("", { denied: never("whoever may see no key sees an empty list") }),
  pubkey: call(P256),
  jwks: call(P256),
  sign: call(`${P256} text`, {
    files: [`${P256} --file FILE`],
    documents: never("a message may be any bytes"),
  }),
  verify: call(`${P256} --signature ${"00".repeat(64)} text`, {
    files: [
      `${P256} --signature 00 --file FILE`,
      `${P256} --signature-file FILE text`,
      "--offline --pubkey FILE --signature 00 text",
    ],
    documents: ["--offline --pubkey bad.json --signature 00 text"],
    pipe: `--offline --pubkey key.pem --signature ${"00".repeat(64)} text`,
  }),
  encrypt: call("--key-id payload.aead text", {
    files: ["--key-id payload.aead --file FILE"],
    documents: never("a plaintext may be any bytes"),
  }),
  decrypt: call("--key-id payload.aead --algorithm aes256-gcm --version 1 --nonce 00 --ciphertext 00", {
    files: ["--key-id payload.aead --algorithm aes256-gcm --version 1 --nonce 00 --file FILE"],
    documents: never("a ciphertext may be any bytes"),
    pipe: HELP,
  }),
  seal: call("payload.aead --file policy.json", {
    files: ["payload.aead --file FILE"],
    documents: never("data may be any bytes"),
  }),
  open: call("--file sealed", { files: ["--file FILE"], documents: ["--file bad.json"] }),
  get: call(P256, NOT_BY_KMS),
  set: call(`${P256} text`, {
    ...NOT_BY_KMS,
    files: [`${P256} --file FILE`],
    documents: never("a value may be any bytes"),
  }),
  "mint-jwt": call(`${P256} --sub me`, {
    ...NOT_BY_KMS,
    files: [`${P256} --sub me --claims-file FILE`],
    documents: [`${P256} --sub me --claims-json {`, `${P256} --sub me --claims-file bad.json`],
  }),
  status: call(""),
  health: call("", { denied: ANY_CALLER }),
  ready: call("", { denied: ANY_CALLER }),
  reload: call("--check"),
  revoke: call("--trust-domain example.org --jti 1 --expires-at-unix 4102444800", NOT_BY_KMS),
  watch: call("", NOT_BY_KMS),
  demo: local("--dir file", {
    files: ["--dir file/FILE"],
    documents: NO_DOCUMENT,
    pipe: HELP,
  }),
  "kms-emulator": local("", {
    files: never("what stands behind -- is read by aws-kms-emulator, a program of its own with words of its own"),
    documents: never("as its files"),
    pipe: "-- --help",
  }),
  completions: local("bash"),
};
