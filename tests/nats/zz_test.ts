import { strictEqual } from "node:assert/strict";
import { openStore, storeOnServer } from "./store_on_server.ts";
import { asBucketName } from "./names.ts";
