export * from "@pyscript/core";
