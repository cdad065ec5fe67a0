package io.troth.chaos.mutants;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a seeded bug is in the file or the build fails. Method: small patches against a small file. */
class SourcePatchTest {

    private static final String HEAD = "Rule: one\n  and two\n\n--- a/A.java\n+++ b/A.java\n";

    @TempDir
    private Path root;

    @BeforeEach
    void writeSource() throws IOException {
        Files.writeString(root.resolve("A.java"), "one\ntwo\nthree\nfour\ntwo\nfive\n");
    }

    @Test
    void changesWhatItSaysAndNothingElse() throws IOException {
        SourcePatch patch =
                SourcePatch.parse("p", HEAD + "@@ -9,3 +9,3 @@\n three\n-four\n+4\n two\n@@ x\n-one\n+1\n two\n");
        assertEquals(Map.of("A.java", "1\ntwo\nthree\n4\ntwo\nfive\n"), patch.apply(root));
        assertEquals("one and two", patch.head("Rule"));
    }

    @Test
    void refusesALineThatIsNotThere() {
        assertRefused("nowhere", "@@ -1 +1 @@\n-six\n+6\n");
    }

    @Test
    void refusesContextThatDiffersByOneSpace() {
        assertRefused("nowhere", "@@ -1 +1 @@\n  one\n-two\n+2\n");
    }

    @Test
    void refusesPartOfALine() {
        assertRefused("nowhere", "@@ -1 +1 @@\n-ne\n+1\n");
    }

    @Test
    void refusesAPlaceThatIsThereTwice() {
        assertRefused("more than once", "@@ -1 +1 @@\n-two\n+2\n");
    }

    @Test
    void refusesAFileThatIsGone() throws IOException {
        Files.delete(root.resolve("A.java"));
        assertRefused("there is no A.java", "@@ -1 +1 @@\n-one\n+1\n");
    }

    @Test
    void refusesAPatchThatChangesNothing() {
        assertThrows(IllegalArgumentException.class, () -> SourcePatch.parse("p", HEAD));
        assertThrows(IllegalArgumentException.class, () -> SourcePatch.parse("p", HEAD + "@@ -1 +1 @@\n one\n"));
        assertThrows(IllegalArgumentException.class, () -> SourcePatch.parse("p", "Rule: one\n"));
    }

    private void assertRefused(String reason, String hunk) {
        SourcePatch patch = SourcePatch.parse("p", HEAD + hunk);
        String message = assertThrows(IllegalStateException.class, () -> patch.apply(root))
                .getMessage();
        assertTrue(message.contains(reason), message);
    }
}
