import { testReadmes } from "../../../testing/readme.js";

testReadmes(["packages/tfjs/README.md"], import.meta.url);
