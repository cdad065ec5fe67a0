package io.troth.agent.config;

/** A value as it was written, and where. */
record Setting(String text, String origin) {}
