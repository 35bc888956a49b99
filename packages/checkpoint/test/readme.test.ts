import { testReadmes } from "../../../testing/readme.js";

testReadmes(["packages/checkpoint/README.md"], import.meta.url);
