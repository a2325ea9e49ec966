"""An object store (S3) on three servers: SeaweedFS, or MinIO where it is; and the failover that proves it."""
