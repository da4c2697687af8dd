/** An emulator of KMS, such as MiniStack: `http://127.0.0.1:4566`. */
export function kmsEndpoint(): string | undefined {
  return process.env.SMDPF_TEST_KMS_ENDPOINT;
}

/** Emulators take any credentials, and the SDK sends none without. Never those of the developer. */
export function useEmulatorCredentials(): void {
  process.env.AWS_ACCESS_KEY_ID = 'test';
  process.env.AWS_SECRET_ACCESS_KEY = 'test';
  delete process.env.AWS_SESSION_TOKEN;
  delete process.env.AWS_PROFILE;
}
