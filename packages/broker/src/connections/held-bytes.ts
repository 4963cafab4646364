export interface HeldBytesLimits {
  /** Bytes that requests and unread answers hold, of all users. */
  readonly maxOpenBytes: number;
  /** The same of one user. */
  readonly maxOpenBytesPerUser: number;
}

/** A request from its first byte until its answer is sent. */
export interface HeldRequest {
  /** Bytes of memory of its message and of its answer. */
  readonly heldBytes: number;
  /** Whether it waits for the peer: for more of the request, or to send the answer. */
  readonly waitsForPeer: boolean;
  refuse(reason: string): void;
}

/** What one user holds. */
interface User {
  bytes: number;
  readonly connections: Set<ConnectionBytes>;
}

/** What an open request counts beside its bytes: the objects that are made for it. */
const REQUEST_BYTES = 16_384;
/** Requests of each connection that are admitted over the limits, and what they may hold, so that health is always answered. */
const FREE_REQUESTS = 4;
const FREE_BYTES = 4096;

/**
 * Accounts for the memory of open requests, including requests whose sender never finishes and answers that the peer does
 * not read. Over a limit a request that has just begun is refused; otherwise the largest that waits for its peer.
 */
export class HeldBytes {
  readonly limits: HeldBytesLimits;
  readonly #users = new Map<number, User>();
  #bytes = 0;

  constructor(limits: HeldBytesLimits) {
    this.limits = limits;
  }

  /** Bytes of all requests. */
  get bytes(): number {
    return this.#bytes;
  }

  connection(uid: number): ConnectionBytes {
    const user = this.#users.get(uid) ?? { bytes: 0, connections: new Set() };
    this.#users.set(uid, user);
    const connection = new ConnectionBytes(this, user, () => {
      user.connections.delete(connection);
      if (user.connections.size === 0) this.#users.delete(uid);
    });
    user.connections.add(connection);
    return connection;
  }

  /** @internal */
  count(user: User, bytes: number): void {
    user.bytes += bytes;
    this.#bytes += bytes;
  }

  /** @internal What is exceeded, and whose requests do so. */
  exceeded(user: User): readonly [user: User, reason: string] | undefined {
    const { maxOpenBytes, maxOpenBytesPerUser } = this.limits;
    if (user.bytes > maxOpenBytesPerUser)
      return [user, `requests of this user hold more than ${maxOpenBytesPerUser} bytes`];
    if (this.#bytes <= maxOpenBytes) return undefined;
    const most = [...this.#users.values()].reduce((one, other) => (other.bytes > one.bytes ? other : one));
    return [most, `requests hold more than ${maxOpenBytes} bytes`];
  }

  /** @internal Refuses the largest requests that wait for their peers until the limits hold. */
  enforce(user: User): void {
    for (let over = this.exceeded(user); over !== undefined; over = this.exceeded(user)) {
      const [most, reason] = over;
      let largest: HeldRequest | undefined;
      for (const { requests } of most.connections) {
        for (const request of requests) {
          if (request.waitsForPeer && request.heldBytes > (largest?.heldBytes ?? 0)) largest = request;
        }
      }
      if (largest === undefined) return;
      largest.refuse(reason);
    }
  }
}

/** The requests of one connection. */
export class ConnectionBytes implements Disposable {
  readonly requests = new Set<HeldRequest>();
  readonly #all: HeldBytes;
  readonly #user: User;
  readonly #left: () => void;

  constructor(all: HeldBytes, user: User, left: () => void) {
    this.#all = all;
    this.#user = user;
    this.#left = left;
  }

  /** A request begins. @returns A reason to refuse it. */
  opened(request: HeldRequest): string | undefined {
    this.requests.add(request);
    this.#all.count(this.#user, REQUEST_BYTES);
    if (this.requests.size <= FREE_REQUESTS) return undefined;
    return this.#all.exceeded(this.#user)?.[1];
  }

  /** A request holds so many bytes more, or less. */
  held(request: HeldRequest, bytes: number): void {
    this.#all.count(this.#user, bytes);
    if (bytes <= 0 || (this.requests.size <= FREE_REQUESTS && request.heldBytes <= FREE_BYTES)) return;
    this.#all.enforce(this.#user);
  }

  /** A request is over. */
  closed(request: HeldRequest): void {
    if (this.requests.delete(request)) this.#all.count(this.#user, -REQUEST_BYTES - request.heldBytes);
  }

  /** The connection is closed, after each of its requests. */
  [Symbol.dispose](): void {
    this.#left();
  }
}
