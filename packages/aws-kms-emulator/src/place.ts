/** The one account and region an emulator plays. */
export interface Place {
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  readonly region: string;
  /** 12 digits. */
  readonly account: string;
}

export function iamArn(place: Place, resource: string, account: string = place.account): string {
  return `arn:${place.partition}:iam::${account}:${resource}`;
}

export function kmsArn(place: Place, resource: string): string {
  return `arn:${place.partition}:kms:${place.region}:${place.account}:${resource}`;
}
