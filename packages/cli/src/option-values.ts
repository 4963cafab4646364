import { InvalidArgumentError } from "commander";

/** Readers of flag values for commander: each returns the value or says what is allowed. */

export function nonEmpty(value: string): string {
  if (value === "") throw new InvalidArgumentError("It is empty.");
  return value;
}

/** A flag that may be given again and again. */
export function repeated(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), nonEmpty(value)];
}

/** Whole bytes in hex, upper or lower case; none at all is allowed. */
export function hexBytes(value: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(value)) throw new InvalidArgumentError("It is not hex: pairs of 0-9 and a-f.");
  return new Uint8Array(Buffer.from(value, "hex"));
}

/** A decimal integer between `min` and `max`. */
export function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new InvalidArgumentError(`It is not a whole number from ${min} to ${max}.`);
    }
    return number;
  };
}

/** Seconds, with a fraction if need be; more than zero and at most an hour. Returns milliseconds. */
export function seconds(value: string): number {
  const number = Number(value);
  if (!/^\d+(?:\.\d+)?$/.test(value) || number <= 0 || number > 3600) {
    throw new InvalidArgumentError("It is not a number of seconds above 0 and up to 3600.");
  }
  return Math.ceil(number * 1000);
}
