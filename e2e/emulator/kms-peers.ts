/** What the emulator is held against: boto3, moto's server and the AWS CLI, all from PyPI. */
export const kmsPeers = ["boto3==1.44.5", "moto[server,kms]==5.2.5", "awscli==1.46.3"];
