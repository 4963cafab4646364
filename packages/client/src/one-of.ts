/** The wire's number of a name. @throws TypeError that lists what is allowed. */
export function oneOf<T extends Record<string, number>>(numbers: T, what: string, name: string): T[keyof T] {
  const number = Object.hasOwn(numbers, name) ? numbers[name as keyof T] : undefined;
  if (number !== undefined) return number;
  throw new TypeError(`${what} must be one of ${Object.keys(numbers).join(", ")}, not ${String(name)}`);
}
