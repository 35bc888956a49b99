import { leanEquality } from "../lean-equality.js";

leanEquality();
