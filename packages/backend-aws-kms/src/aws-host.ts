/** The parent domains of AWS endpoints, by partition; https://docs.aws.amazon.com/general/latest/gr/rande.html. */
const AWS_DOMAINS = [
  "amazonaws.com",
  "amazonaws.com.cn",
  "api.aws",
  "api.amazonwebservices.com.cn",
  "amazonaws.eu",
  "api.amazonwebservices.eu",
  "c2s.ic.gov",
  "sc2s.sgov.gov",
  "cloud.adc-e.uk",
  "csp.hci.ic.gov",
];

/** Whether AWS itself answers at this host, a VPC endpoint's own name included. */
export function isAwsHost(hostname: string): boolean {
  return AWS_DOMAINS.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`));
}
