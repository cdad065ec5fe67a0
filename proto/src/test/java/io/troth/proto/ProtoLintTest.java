package io.troth.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.TextFormat;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our .proto files keep the rules, and each rule notices a file that breaks it: a good file is spoilt in one place. */
class ProtoLintTest {

    private static final String GOOD = """
            name: "troth/v1/good_file.proto"
            package: "troth.v1"
            syntax: "proto3"
            options { java_package: "io.troth.proto.v1" java_multiple_files: true }
            message_type { name: "AskRequest" field { name: "first_word" number: 1 } oneof_decl { name: "one_of" } }
            message_type { name: "AskResponse" }
            enum_type {
              name: "TheMood"
              value { name: "THE_MOOD_UNSPECIFIED" number: 0 }
              value { name: "THE_MOOD_GOOD" number: 1 }
            }
            service {
              name: "AskService"
              method { name: "Ask" input_type: ".troth.v1.AskRequest" output_type: ".troth.v1.AskResponse" }
            }
            source_code_info {
              location { path: [4, 0] leading_comments: "a" }
              location { path: [4, 1] leading_comments: "b" }
              location { path: [5, 0] leading_comments: "c" }
              location { path: [6, 0] leading_comments: "d" }
              location { path: [6, 0, 2, 0] leading_comments: "e" }
            }
            """;

    @Test
    void ourFilesKeepTheRules() throws IOException {
        try (InputStream in = getClass().getResourceAsStream("/troth.protoset")) {
            assertNotNull(in, "the build writes troth.protoset beside the classes");
            FileDescriptorSet files = FileDescriptorSet.parseFrom(in);
            assertTrue(
                    files.getFileList().stream()
                            .anyMatch(file -> file.getPackage().equals("troth.v1")),
                    "there is nothing of ours in troth.protoset");
            assertEquals("", ProtoLint.check(files).stream().sorted().collect(Collectors.joining("\n")));
        }
    }

    @Test
    void aGoodFileGivesNoComplaint() throws TextFormat.ParseException {
        assertEquals(List.of(), lint(GOOD));
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource(delimiter = '|', textBlock = """
                    package: "troth.v1"             | package: "troth"                   | is not troth...vN
                    troth/v1/good_file              | troth/v2/good_file                 | the directory does not say
                    good_file.proto                 | goodFile.proto                     | the file name is not lower_snake
                    syntax: "proto3"                | syntax: "proto2"                   | the syntax is not proto3
                    io.troth.proto.v1               | io.troth.v1                        | java_package is not io.troth.proto.v1
                    java_multiple_files: true       | java_multiple_files: false         | java_multiple_files is not set
                    message_type { name: "AskResponse" | message_type { name: "ask_response" | the message name is not UpperCamel
                    first_word                      | firstWord                          | the field firstWord is not lower_snake
                    one_of                          | oneOf                              | the oneof oneOf is not lower_snake
                    "TheMood"                       | "the_mood"                         | the enum name is not UpperCamel
                    THE_MOOD_GOOD                   | MOOD_GOOD                          | does not start with THE_MOOD_
                    THE_MOOD_UNSPECIFIED            | THE_MOOD_NONE                      | the zero value is not THE_MOOD_UNSPECIFIED
                    "AskService"                    | "Ask"                              | the service name is not UpperCamel ending in Service
                    method { name: "Ask"            | method { name: "ask"               | the rpc name is not UpperCamel
                    input_type: ".troth.v1.AskRequest" | input_type: ".troth.v1.Question" | is not AskRequest
                    output_type: ".troth.v1.AskResponse" | output_type: ".troth.v1.AskRequest" | also serves
                    leading_comments: "a"           | leading_comments: " "              | AskRequest: there is no comment
                    leading_comments: "c"           | leading_comments: " "              | TheMood: there is no comment
                    leading_comments: "d"           | leading_comments: " "              | AskService: there is no comment
                    leading_comments: "e"           | leading_comments: " "              | AskService.Ask: there is no comment
                    """)
    void aFileSpoiltInOnePlaceIsNoticed(String good, String bad, String complaint) throws TextFormat.ParseException {
        assertTrue(GOOD.contains(good), good);
        List<String> complaints = lint(GOOD.replace(good, bad));
        assertTrue(complaints.stream().anyMatch(line -> line.contains(complaint)), () -> complaints.toString());
    }

    private static List<String> lint(String file) throws TextFormat.ParseException {
        FileDescriptorProto parsed = TextFormat.parse(file, FileDescriptorProto.class);
        return ProtoLint.check(FileDescriptorSet.newBuilder().addFile(parsed).build());
    }
}
