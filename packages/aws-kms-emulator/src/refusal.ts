/**
 * What the emulated service answers when it says no. It travels as a throw inside the emulator and leaves it only
 * as bytes on the wire, so it is not part of the package's own errors.
 *
 * @internal
 */
export class Refusal {
  /** Shape name on the wire, e.g. `NotFoundException`. */
  readonly code: string;
  /** Absent where the service sends no message at all. */
  readonly message: string | undefined;
  readonly status: number;

  constructor(code: string, message?: string, status = 400) {
    this.code = code;
    this.message = message;
    this.status = status;
  }
}

export function isRefusal(value: unknown): value is Refusal {
  return value instanceof Refusal;
}
