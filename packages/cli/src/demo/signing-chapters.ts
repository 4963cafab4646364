import { demand, type Stage } from "./stage.js";
import type { Workdir } from "./workdir.js";

const MESSAGE = "release 1.0.0 is good";

export async function signAndVerify({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("ES256: sign and verify, the key stays in KMS");
  const signature = (await type(`basil sign --key-id jwt.signing.primary '${MESSAGE}'`)).stdout.trim();
  demand(/^[0-9a-f]{128}$/.test(signature), "an ES256 signature is 64 bytes");
  await type(`basil verify --key-id jwt.signing.primary --signature ${signature} '${MESSAGE}'`);
  await type(
    `basil verify --key-id jwt.signing.primary --signature ${signature} '${MESSAGE.replace("good", "bad")}'`,
    1,
  );
}

/** The signature of `basil sign` is the one a JWT wants; a library that knows nothing of the broker takes it. */
export async function makeJwt({ narrator, type }: Stage, workdir: Workdir, now: Date): Promise<void> {
  narrator.chapter("A JWT out of that signature, verified by jose");
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const issuedAt = Math.floor(now.getTime() / 1000);
  const input = `${part({ alg: "ES256", typ: "JWT" })}.${part({ iss: "basil demo", sub: "you", iat: issuedAt, exp: issuedAt + 86_400 })}`;
  await workdir.write("jwt-signing-input", input);
  await type("cat jwt-signing-input && echo");
  await type(
    "basil sign --key-id jwt.signing.primary --file jwt-signing-input > jwt-signature.hex && cat jwt-signature.hex",
  );
  await type("basil pubkey --key-id jwt.signing.primary --format jwk > jwt-key.json && cat jwt-key.json");
  const { stdout } = await type("node verify-jwt.mjs jwt-signing-input jwt-signature.hex jwt-key.json");
  demand(stdout.includes("jose: verified"), "jose verifies the token");
}

const OTHERS = [
  { name: "release.es384", algorithm: "ES384", bytes: 96 },
  { name: "release.es512", algorithm: "ES512", bytes: 132 },
  { name: "release.ed25519", algorithm: "Ed25519", bytes: 64 },
] as const;

export async function signWithOthers({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("The same for ES384, ES512 and Ed25519");
  await type("basil --socket run/signing.sock list");
  for (const { name, algorithm, bytes } of OTHERS) {
    const broker = "basil --socket run/signing.sock";
    const signature = (await type(`${broker} sign --key-id ${name} '${MESSAGE}'`)).stdout.trim();
    demand(signature.length === 2 * bytes, `an ${algorithm} signature is ${bytes} bytes`);
    await type(`${broker} verify --key-id ${name} --signature ${signature} '${MESSAGE}'`);
    await type(`${broker} pubkey --key-id ${name} --format pem`);
  }
  await signForSsh({ narrator, type });
}

/** What OpenSSH and git verify, verified here without a broker. */
async function signForSsh({ narrator, type }: Pick<Stage, "narrator" | "type">): Promise<void> {
  narrator.say("As ssh-keygen and git have signatures, too; whoever verifies needs the public half and no broker.");
  const broker = "basil --socket run/signing.sock";
  await type(`${broker} pubkey --key-id release.ed25519 --format ssh > release.pub && cat release.pub`);
  const sign = `${broker} sign --key-id release.ed25519 --format sshsig --namespace file '${MESSAGE}'`;
  const signature = await type(`${sign} > release.sig && cat release.sig`);
  demand(signature.stdout.startsWith("-----BEGIN SSH SIGNATURE-----"), "an SSH signature is armored");
  const flags = "--offline --pubkey release.pub --format sshsig --signature-file release.sig";
  await type(`basil verify ${flags} --namespace file '${MESSAGE}'`);
  await type(`basil verify ${flags} --namespace git '${MESSAGE}'`, 1);
}

export async function encryptAndDecrypt({ narrator, type }: Stage): Promise<void> {
  narrator.chapter("Encrypt and decrypt, bound to additional data");
  const aad = Buffer.from("order 4711").toString("hex");
  const { stdout } = await type(`basil encrypt --key-id payload.aead --aad-hex ${aad} 'the secret of order 4711'`);
  const ciphertext = /^ciphertext: ([0-9a-f]+)$/m.exec(stdout)?.[1];
  demand(ciphertext !== undefined, "encrypt prints a ciphertext");
  const decrypt = `basil decrypt --key-id payload.aead --algorithm aes256-gcm --version 1 --nonce '' --ciphertext ${ciphertext}`;
  const opened = await type(`${decrypt} --aad-hex ${aad} --raw && echo`);
  demand(opened.stdout === "the secret of order 4711\n", "decrypt gives the plaintext back");
  narrator.say("Other additional data, or none, and it does not open; nothing tells which was wrong.");
  await type(`${decrypt} --aad-hex 00`, 1);
  await type(decrypt, 1);
  narrator.say("KMS takes 4,096 bytes; data of any size is sealed to a key that KMS wraps.");
  await type("seq 1 20000 | basil seal payload.aead --out-file numbers.sealed");
  const numbers = await type("basil open --file numbers.sealed | tail -1");
  demand(numbers.stdout === "20000\n", "open gives the data back, to the last byte");
}
