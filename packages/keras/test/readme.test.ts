import { testReadmes } from "../../../testing/readme.js";

testReadmes(["packages/keras/README.md"], import.meta.url);
