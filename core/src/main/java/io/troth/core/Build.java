package io.troth.core;

import org.jspecify.annotations.Nullable;

/** Which build this is. */
public final class Build {

    /** The version of the jar that this class is in, such as {@code 0.1.0}; {@code source} in a checkout of the sources. */
    public static final String VERSION = orSource(Build.class.getPackage().getImplementationVersion());

    private Build() {}

    private static String orSource(@Nullable String version) {
        return version == null ? "source" : version;
    }
}
