package io.troth.chaos.stack;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Half of what a small JVM costs is to load its classes, and the tests start dozens of them. So one JVM goes through a
 * transaction first ({@link Rehearsal}), and leaves an archive of what it has loaded to those that are started once it is
 * there. The others, and all of them where no archive can be made, load their classes themselves.
 */
final class SharedClasses {

    private static final Logger LOG = LoggerFactory.getLogger(SharedClasses.class);
    private static final Duration LIMIT = Duration.ofMinutes(3);

    private SharedClasses() {}

    /** Begins to make the archive, and returns. */
    static void prepare(Children children, Path directory) {
        Thread thread = new Thread(() -> make(children, directory), "shared-classes");
        thread.setDaemon(true);
        thread.start();
    }

    private static void make(Children children, Path directory) {
        try {
            Path archive = directory.resolve("classes.jsa");
            Banks banks = Banks.create("Rehearsal");
            // An archive is of jars only, and of this very class path.
            String jars = jars(directory);
            Children.takeClassesFrom(jars, List.of());
            ChildProcess rehearsal = children.startJava(
                    "rehearsal",
                    Rehearsal.class,
                    List.of(directory.resolve("rehearsal").toString(), banks.url(Banks.A), banks.url(Banks.B)),
                    List.of("-XX:ArchiveClassesAtExit=" + archive));
            int exit = rehearsal.awaitExit(LIMIT);
            if (exit == 0 && Files.exists(archive)) {
                Children.takeClassesFrom(jars, List.of("-XX:SharedArchiveFile=" + archive));
            } else {
                LOG.warn("no archive of classes: the rehearsal ended with {}", exit);
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("no archive of classes", e);
        }
    }

    /** The class path of this JVM with jars in the places of directories. */
    private static String jars(Path directory) throws IOException {
        List<String> jars = new ArrayList<>();
        for (String entry : Children.ownClassPath()) {
            Path path = Path.of(entry);
            if (Files.isDirectory(path)) {
                Path jar = directory.resolve("classes-" + jars.size() + ".jar");
                pack(path, jar);
                jars.add(jar.toString());
            } else if (Files.exists(path)) {
                jars.add(entry);
            }
        }
        return String.join(File.pathSeparator, jars);
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(classes)) {
            out.setLevel(1);
            files.filter(Files::isRegularFile).sorted().forEach(file -> {
                try {
                    out.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                    Files.copy(file, out);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
