import { describe, expect, it } from "vitest";
import { readYesOrNo, regionDoubt } from "./answers.js";

describe("readYesOrNo", () => {
  it.each(["y", "Y", "yes", "YES"])("reads %s as yes", (answer) => expect(readYesOrNo(answer)).toBe(true));
  it.each(["n", "N", "no", "No"])("reads %s as no", (answer) => expect(readYesOrNo(answer)).toBe(false));

  it.each(["maybe", "yess", "correct horse battery staple", "", "1"])(
    "asks again for %s, which it does not repeat",
    (answer) => {
      expect(() => readYesOrNo(answer)).toThrow(/^answer y or n$/);
    },
  );
});

describe("regionDoubt", () => {
  const REGIONS =
    "us-east-1 us-gov-west-1 us-iso-east-1 us-isob-east-1 eu-central-2 eusc-de-east-1 eu-isoe-west-1 cn-northwest-1 ap-southeast-7 mx-central-1 il-central-1 ca-west-1";

  it.each(REGIONS.split(" "))("has none about %s", (region) => expect(regionDoubt(region)).toBeUndefined());

  it.each([
    ["us-esat-1", "esat"],
    ["su-east-1", "su"],
    ["eu-centrall-1", "centrall"],
  ])("names what is odd in %s", (region, odd) => expect(regionDoubt(region)).toContain(JSON.stringify(odd)));
});
