package io.troth.chaos.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents promise about the project, read from the checkout: commands, links, and no way out of it. */
class DocsTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)");
    private static final Set<String> NOT_OURS = Set.of("target", ".git", ".idea", ".troth");
    private static final Set<String> TEXT = Set.of("java", "md", "proto", "xml", "txt", "conf", "properties", "patch");
    private static final Set<String> SCRIPTS = Set.of("troth", "run", "more");

    @Test
    void ciRunsExactlyTheTestCommandOfTheReadme() throws IOException {
        String command = "./mvnw verify";
        List<String> readme = commandsOf(ROOT.resolve("README.md"));
        assertTrue(readme.contains(command), readme.toString());
        assertTrue(readme.contains("./troth demo"), readme.toString());

        List<String> ci = Files.readAllLines(ROOT.resolve(".ci/run")).stream()
                .filter(line -> !line.startsWith("#") && !line.startsWith("set ") && !line.startsWith("cd "))
                .toList();
        assertEquals(List.of("exec " + command + " </dev/null"), ci);
    }

    @Test
    void linksBetweenDocumentsLeadSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path document :
                files().filter(file -> file.toString().endsWith(".md")).toList()) {
            Matcher link = LINK.matcher(Files.readString(document));
            while (link.find()) {
                if (!Files.exists(document.resolveSibling(link.group(1).strip()))) {
                    broken.add(ROOT.relativize(document) + " -> " + link.group(1));
                }
            }
        }
        assertEquals(List.of(), broken);
    }

    @Test
    void nothingRefersToFilesOutsideTheProject() throws IOException {
        String outside = ".." + "/shared";
        List<String> found = new ArrayList<>();
        for (Path file : files().filter(DocsTest::isText).toList()) {
            if (Files.readString(file).contains(outside)) {
                found.add(ROOT.relativize(file).toString());
            }
        }
        assertEquals(List.of(), found);
    }

    /** The commands of the indented blocks, without their comments. */
    private static List<String> commandsOf(Path document) throws IOException {
        return Files.readAllLines(document).stream()
                .filter(line -> line.startsWith("    ./"))
                .map(line -> line.replaceFirst("\\s+#.*", "").strip())
                .toList();
    }

    private static boolean isText(Path file) {
        String name = file.getFileName().toString();
        return TEXT.contains(name.substring(name.lastIndexOf('.') + 1)) || SCRIPTS.contains(name);
    }

    private static Stream<Path> files() throws IOException {
        List<Path> found = new ArrayList<>();
        collect(ROOT, found);
        return found.stream();
    }

    private static void collect(Path directory, List<Path> found) throws IOException {
        try (Stream<Path> children = Files.list(directory)) {
            for (Path child : children.toList()) {
                if (Files.isDirectory(child) && !Files.isSymbolicLink(child)) {
                    if (!NOT_OURS.contains(child.getFileName().toString())) {
                        collect(child, found);
                    }
                } else if (Files.isRegularFile(child)
                        && !NOT_OURS.contains(child.getFileName().toString())) {
                    found.add(child);
                }
            }
        }
    }
}
