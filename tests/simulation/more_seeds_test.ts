/** Another hundred bad days. */

import { testSeeds } from "./seeds.ts";

testSeeds(1);
