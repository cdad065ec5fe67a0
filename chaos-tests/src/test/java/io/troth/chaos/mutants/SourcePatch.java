package io.troth.chaos.mutants;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One seeded bug: a unified diff against our own sources, with a head that says which rule it breaks.
 *
 * <p>It is applied to the letter: every line of a hunk, context and removed ones, must stand in the file as it stands in
 * the patch, once and only once. Line numbers count for readers only, so that a change elsewhere in the file breaks
 * nothing, and a change at the place itself always does. {@code git apply} takes the same files.
 */
final class SourcePatch {

    /** One hunk: what must be there, and what is there afterwards. */
    private record Hunk(String before, String after) {}

    private final String name;
    private final Map<String, String> head;
    private final Map<String, List<Hunk>> files;

    private SourcePatch(String name, Map<String, String> head, Map<String, List<Hunk>> files) {
        this.name = name;
        this.head = head;
        this.files = files;
    }

    /**
     * Reads a patch file.
     *
     * @throws IllegalArgumentException when it is not one
     */
    static SourcePatch read(Path file) throws IOException {
        return parse(file.getFileName().toString().replace(".patch", ""), Files.readString(file));
    }

    static SourcePatch parse(String name, String text) {
        Map<String, String> head = new TreeMap<>();
        Map<String, List<Hunk>> files = new TreeMap<>();
        List<String> lines = text.lines().toList();
        int at = 0;
        String key = null;
        while (at < lines.size() && !lines.get(at).startsWith("--- ")) {
            String line = lines.get(at++);
            int colon = line.indexOf(": ");
            if (line.startsWith("  ") && key != null) {
                head.merge(key, line.strip(), (one, two) -> one + " " + two);
            } else if (colon > 0) {
                key = line.substring(0, colon);
                head.put(key, line.substring(colon + 2).strip());
            } else {
                require(line.isBlank(), name, at, "a head has lines of the form 'Rule: ...'");
            }
        }
        while (at < lines.size()) {
            require(lines.get(at).startsWith("--- a/"), name, at + 1, "'--- a/' expected");
            String file = lines.get(at).substring("--- a/".length());
            require(lines.get(at + 1).equals("+++ b/" + file), name, at + 2, "'+++ b/" + file + "' expected");
            at += 2;
            List<Hunk> hunks = new ArrayList<>();
            while (at < lines.size() && lines.get(at).startsWith("@@ ")) {
                StringBuilder before = new StringBuilder();
                StringBuilder after = new StringBuilder();
                at++;
                while (at < lines.size()
                        && !lines.get(at).startsWith("@@ ")
                        && !lines.get(at).startsWith("--- a/")) {
                    String line = lines.get(at++);
                    char kind = line.isEmpty() ? ' ' : line.charAt(0);
                    String content = (line.isEmpty() ? "" : line.substring(1)) + '\n';
                    require(kind == ' ' || kind == '-' || kind == '+', name, at, "a line of a hunk expected");
                    before.append(kind == '+' ? "" : content);
                    after.append(kind == '-' ? "" : content);
                }
                require(before.length() > 0 && !before.toString().contentEquals(after), name, at, "an empty hunk");
                hunks.add(new Hunk(before.toString(), after.toString()));
            }
            require(!hunks.isEmpty(), name, at, "a hunk expected");
            require(files.put(file, hunks) == null, name, at, file + " is patched twice");
        }
        require(!files.isEmpty(), name, at, "no file is patched");
        return new SourcePatch(name, head, files);
    }

    private static void require(boolean holds, String name, int line, String problem) {
        if (!holds) {
            throw new IllegalArgumentException(name + ".patch, line " + line + ": " + problem);
        }
    }

    String name() {
        return name;
    }

    /** A line of the head. */
    String head(String key) {
        String value = head.get(key);
        if (value == null) {
            throw new IllegalArgumentException(name + ".patch has no line '" + key + ": ...' in its head");
        }
        return value;
    }

    /** Whether the head has such a line. */
    boolean has(String key) {
        return head.containsKey(key);
    }

    /** The parts of a line of the head, separated by commas; none when there is no such line. */
    List<String> words(String key) {
        return has(key) ? List.of(head(key).split(", *")) : List.of();
    }

    /**
     * The patched files, by their path from the root, as they are with the bug in them.
     *
     * @throws IllegalStateException when a hunk does not stand in its file exactly once
     */
    Map<String, String> apply(Path root) throws IOException {
        Map<String, String> changed = new TreeMap<>();
        for (Map.Entry<String, List<Hunk>> file : files.entrySet()) {
            Path path = root.resolve(file.getKey());
            if (!Files.isRegularFile(path)) {
                throw new IllegalStateException(name + ".patch: there is no " + file.getKey());
            }
            // A line ends before the match and after it: the text is looked at as whole lines.
            String text = '\n' + Files.readString(path);
            for (Hunk hunk : file.getValue()) {
                String before = '\n' + hunk.before();
                int at = text.indexOf(before);
                if (at < 0 || text.indexOf(before, at + 1) >= 0) {
                    throw new IllegalStateException(name + ".patch: stands " + (at < 0 ? "nowhere" : "more than once")
                            + " in " + file.getKey() + ":\n" + hunk.before());
                }
                text = text.substring(0, at) + '\n' + hunk.after() + text.substring(at + before.length());
            }
            changed.put(file.getKey(), text.substring(1));
        }
        return changed;
    }
}
