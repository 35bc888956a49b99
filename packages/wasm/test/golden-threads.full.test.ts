import { golden } from "./golden.js";
import { threaded } from "./threaded.js";

golden("three threads", await threaded());
