/** @throws TypeError for anything but a `Uint8Array`. @internal */
export function requireBytes(value: unknown, name: string): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array, found ${typeof value}`);
}
