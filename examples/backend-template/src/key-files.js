import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { BackendError } from "@basil/core";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * What a file holds, once it is opened.
 *
 * @typedef {{ keyType: import("@basil/core").KeyType, secret: string }} KeyFile
 */

/** One file a key, named by the digest of its path: whatever a path says, it leads to no other folder. */
export class KeyFiles {
  #folder;
  #sealingKey;

  /**
   * @param {string} folder
   * @param {Uint8Array} sealingKey 32 bytes; wiped by `forget`.
   */
  constructor(folder, sealingKey) {
    this.#folder = folder;
    this.#sealingKey = sealingKey;
  }

  /**
   * The file's content; undefined when there is none. A failure to find out is thrown: it does not mean that there is none.
   *
   * @param {import("@basil/core").KeyRef} key
   * @returns {Promise<KeyFile | undefined>}
   */
  async read(key) {
    const name = nameOf(key.path);
    let sealed;
    try {
      sealed = await readFile(join(this.#folder, name));
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return undefined;
      throw new BackendError(
        "UNAVAILABLE",
        `the file of key ${key.name} cannot be read: ${codeOf(cause)}`,
        {},
        { cause },
      );
    }
    try {
      return JSON.parse(this.#unseal(name, sealed));
    } catch (cause) {
      const reason = "its file does not open with the sealing key of the credential";
      throw new BackendError("KEY_UNUSABLE", `key ${key.name}: ${reason}`, { key: key.name, reason }, { cause });
    }
  }

  /**
   * Writes a new file whole or not at all, and never over another.
   *
   * @param {import("@basil/core").KeyRef} key
   * @param {KeyFile} content
   */
  async create(key, content) {
    const name = nameOf(key.path);
    const temporary = join(this.#folder, `.${name}.${randomBytes(8).toString("hex")}`);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(this.#seal(name, JSON.stringify(content)));
        await file.sync();
      } finally {
        await file.close();
      }
      await link(temporary, join(this.#folder, name));
    } catch (cause) {
      if (codeOf(cause) === "EEXIST")
        throw new BackendError("KEY_EXISTS", `a key is at ${key.path}`, { key: key.name });
      throw new BackendError("UNAVAILABLE", `key ${key.name} cannot be written: ${codeOf(cause)}`, {}, { cause });
    } finally {
      await rm(temporary, { force: true });
    }
  }

  forget() {
    this.#sealingKey.fill(0);
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  #seal(name, text) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#sealingKey, nonce).setAAD(Buffer.from(name));
    return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  }

  /**
   * @param {string} name
   * @param {Buffer} sealed
   */
  #unseal(name, sealed) {
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#sealingKey, sealed.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(name))
      .setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]).toString("utf8");
  }
}

/** @param {string} path */
function nameOf(path) {
  return `${createHash("sha256").update(path).digest("hex")}.key`;
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
