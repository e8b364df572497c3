export * from "@mlc-ai/web-llm";
