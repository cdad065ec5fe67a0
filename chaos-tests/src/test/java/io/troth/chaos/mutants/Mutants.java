package io.troth.chaos.mutants;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The seeded bugs of {@code chaos-tests/src/mutants}. */
final class Mutants {

    /** Tests run in the directory of their module. */
    static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    private static final Path PATCHES = Path.of("src", "mutants");

    private Mutants() {}

    /** All of them, by name. */
    static List<SourcePatch> all() {
        try (Stream<Path> files = Files.list(PATCHES)) {
            List<SourcePatch> all = new ArrayList<>();
            for (Path file : files.sorted().toList()) {
                all.add(SourcePatch.read(file));
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Troth with this bug in it. */
    static MutantClasses load(SourcePatch patch) {
        try {
            return MutantClasses.compile(patch.apply(ROOT));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
