// Browsers have `crypto`, and Node has it from 20 on; Debian 12 brings 18.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
